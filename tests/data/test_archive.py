"""Folders and zip archives are read in the same way, and damage is named."""

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
