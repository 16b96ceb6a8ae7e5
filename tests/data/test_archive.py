"""Folders and zip archives are read in the same way, and damage is named."""

import os
import zipfile
from pathlib import Path

import pytest

from tests.data.sets.sources import WEB_PAGE, write_files, write_zip
from vaeline.data.archive import Archive, is_web_page
from vaeline.system.errors import UserError

FILES = {"b/two.txt": b"2", "b/one.txt": b"1", "__MACOSX/b/two.txt": b"?", "b/.hidden": b"?"}


def test_folder_and_zip_hold_the_same_sorted_files(tmp_path: Path) -> None:
    write_zip(tmp_path / "a.zip", FILES)
    folder, archive = Archive(write_files(tmp_path / "a", FILES)), Archive(tmp_path / "a.zip")
    assert folder.names == archive.names == ["b/one.txt", "b/two.txt"]
    assert folder.read("b/two.txt") == archive.read("b/two.txt") == b"2"


def test_names_in_a_zip_may_begin_with_a_dot_and_a_slash(tmp_path: Path) -> None:
    write_zip(tmp_path / "a.zip", {"./img/1.jpg": b"1", "./.hidden/2.jpg": b"2"})
    archive = Archive(tmp_path / "a.zip")
    assert archive.names == ["img/1.jpg"] and archive.read("img/1.jpg") == b"1"


def test_a_folders_fingerprint_depends_on_names_and_bytes(tmp_path: Path) -> None:
    prints = []
    for number, files in enumerate([FILES, FILES, {**FILES, "b/one.txt": b"!"}, {"b/1.txt": b"1", "b/two.txt": b"2"}]):
        archive = Archive(write_files(tmp_path / str(number), files))
        prints.append(archive.fingerprint(archive.names))
    assert prints[0] == prints[1] and prints[0]["count"] == prints[0]["bytes"] == 2
    assert len({str(each["sha256"]) for each in prints}) == 3


def test_a_damaged_file_in_a_zip_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    write_zip(path, {"one.txt": b"stored bytes", "two.txt": b"2"})
    path.write_bytes(path.read_bytes().replace(b"stored bytes", b"stored bytez"))
    with pytest.raises(UserError, match="one.txt in .*a.zip cannot be read .Bad CRC-32"):
        Archive(path).read("one.txt")
    assert Archive(path).read("two.txt") == b"2"


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
@pytest.mark.parametrize(
    "extra", [b"", b"ux" + (4).to_bytes(2, "little") + b"abcd", b"xx" + (996).to_bytes(2, "little") + 996 * b"e"]
)
def test_every_kind_of_zip_gives_the_same_bytes(tmp_path: Path, compression: int, extra: bytes) -> None:
    content = {"é/one.jpg": 300 * b"one", "none": b"", "last.jpg": b"2"}
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name, bytes_ in content.items():
            entry = zipfile.ZipInfo(name)
            entry.extra, entry.compress_type = extra, compression
            archive.writestr(entry, bytes_)
    assert {name: Archive(tmp_path / "a.zip").read(name) for name in content} == content


@pytest.mark.parametrize("start", [WEB_PAGE, b"\n <HTML><body>", b"\xef\xbb\xbf<!doctype HTML>"])
def test_web_pages_are_recognised(start: bytes) -> None:
    assert is_web_page(start)
    assert not is_web_page(b"PK\x03\x04" + start)


def test_links_to_folders_are_followed_without_going_round(tmp_path: Path) -> None:
    write_files(tmp_path / "elsewhere", {"1.png": b"1", "deep/2.png": b"2"})
    write_files(tmp_path / "root", {"dog/3.png": b"3"})
    (tmp_path / "root/cat").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "root/dog/up").symlink_to(tmp_path / "root")
    (tmp_path / "root/dog/4.png").symlink_to(tmp_path / "elsewhere/1.png")
    (tmp_path / "root/dog/5.png").symlink_to(tmp_path / "nothing")
    archive = Archive(tmp_path / "root")
    assert archive.names == ["cat/1.png", "cat/deep/2.png", "dog/3.png", "dog/4.png"]
    assert archive.read("cat/deep/2.png") == b"2" and archive.broken == ["dog/5.png"]


def test_a_folder_under_two_names_is_refused(tmp_path: Path) -> None:
    write_files(tmp_path, {"cat/1.png": b"1"})
    (tmp_path / "kitten").symlink_to("cat")
    with pytest.raises(UserError, match="cat and kitten in .* are the same folder.*remove one link"):
        Archive(tmp_path)


def test_links_in_a_circle_are_broken_unless_they_are_hidden(tmp_path: Path) -> None:
    for name in ("round.png", ".round.png"):
        (tmp_path / name).symlink_to(name)
    assert Archive(tmp_path).broken == ["round.png"]


@pytest.mark.parametrize("fingerprinted", [False, True])
def test_copies_are_found_in_folders_and_zips(tmp_path: Path, fingerprinted: bool) -> None:
    files = {"a": b"12", "b": b"21", "c": b"12", "d": b"", "e": b"123", "f": b""}
    write_zip(tmp_path / "a.zip", files)
    for archive in (Archive(write_files(tmp_path / "a", files)), Archive(tmp_path / "a.zip")):
        if fingerprinted:
            archive.fingerprint(archive.names)
        assert archive.first_copies(archive.names) == [0, 1, 0, 3, 4, 3]


def test_only_files_that_may_be_copies_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive, read = Archive(write_files(tmp_path, {"a": b"12", "b": b"21", "c": b"1"})), []
    monkeypatch.setattr(Archive, "read", lambda self, name: (read.append(name), b"")[1])
    archive.first_copies(archive.names)
    assert read == ["a", "b"]


def test_names_that_are_not_utf8_can_be_read_and_printed(tmp_path: Path) -> None:
    with open(os.fsencode(tmp_path) + b"/caf\xe9.png", "wb") as file:
        file.write(b"1")
    archive = Archive(tmp_path)
    assert archive.names == ["caf\\xe9.png"] and archive.read(archive.names[0]) == b"1"
    assert archive.fingerprint(archive.names)["count"] == 1
    archive.names[0].encode()


@pytest.mark.parametrize(("stored", "name"), [("café".encode(), "café"), ("café".encode("cp437"), "café"), (b"a", "a")])
def test_names_in_a_zip_are_read_as_utf8_if_they_are(tmp_path: Path, stored: bytes, name: str) -> None:
    place = "N" * len(stored)
    write_zip(tmp_path / "a.zip", {place: b"content"})
    (tmp_path / "a.zip").write_bytes((tmp_path / "a.zip").read_bytes().replace(place.encode(), stored))
    archive = Archive(tmp_path / "a.zip")
    assert archive.names == [name] and archive.read(name) == b"content"


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_zip_with_two_files_of_one_name_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("1.png", b"1")
        archive.writestr("1.png", b"2")
    with pytest.raises(UserError, match=r"two files that are called 1.png"):
        Archive(tmp_path / "a.zip")
