"""The fingerprint of a source follows names and content, and a file is read once."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from vaeline.data import source_fingerprint
from vaeline.data.source_fingerprint import KEPT, file_of_the_future, of_source
from vaeline.study.schema import Dataset
from vaeline.system.errors import UserError

PAST = 1e9


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with three files, one of them behind a link to a folder, in a project that is the current folder."""
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    monkeypatch.setattr(source_fingerprint, "SETTLED", -(10**9))  # as if every file had been written long ago
    folder, elsewhere = tmp_path / "mine", tmp_path / "elsewhere"
    for path in (folder / "a.png", folder / "below/b.png", elsewhere / "c.png"):
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(path.name.encode())
    (folder / "linked").symlink_to(elsewhere)
    (folder / "again").symlink_to(folder)
    return folder


def dataset(source: Path | str) -> Dataset:
    return Dataset(id="mine", name="image_folder", source=str(source), size=8)


def replace_in_place(folder: Path) -> None:
    """Another content of the same size, under the same time of change."""
    path = folder / "a.png"
    times = path.stat().st_atime_ns, path.stat().st_mtime_ns
    path.write_bytes(b"A.png")
    os.utime(path, ns=times)


CHANGES: list[Callable[[Path], object]] = [
    replace_in_place,
    lambda folder: (folder / "below/b.png").unlink(),
    lambda folder: (folder / "new.png").touch(),
    lambda folder: (folder / "a.png").rename(folder / "d.png"),
    lambda folder: (folder / "linked/c.png").write_bytes(b"other"),
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_a_file_changes_the_fingerprint(source: Path, change: Callable[[Path], object]) -> None:
    before = of_source(dataset(source))
    change(source)
    assert of_source(dataset(source)) != before


def test_files_that_systems_add_change_nothing(source: Path) -> None:
    before, state = of_source(dataset(source)), source_fingerprint.state(source)
    for name in (".DS_Store", "._a.png", "below/Thumbs.db", "desktop.ini"):
        (source / name).touch()
    (source / "__MACOSX").mkdir()
    (source / "__MACOSX/a.png").touch()
    (source / ".#a.png").symlink_to("nobody@nowhere")
    assert of_source(dataset(source)) == before and source_fingerprint.state(source) == state


def test_a_touch_or_a_copy_of_a_file_changes_nothing(source: Path) -> None:
    before = of_source(dataset(source))
    os.utime(source / "a.png", (PAST, PAST))
    (source / "copy").write_bytes((source / "below/b.png").read_bytes())
    (source / "copy").replace(source / "below/b.png")
    assert of_source(dataset(source)) == before


def test_only_files_that_changed_are_read(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    hash_one = source_fingerprint._sha256
    monkeypatch.setattr(source_fingerprint, "_sha256", lambda file: (read.append(file.name), hash_one(file))[1])
    before = of_source(dataset(source))
    assert sorted(read) == ["a.png", "below/b.png", "linked/c.png"]  # `again` leads to the folder itself
    read.clear()
    assert of_source(dataset(source)) == before and not read
    (source / "below/b.png").write_bytes(b"new")
    assert of_source(dataset(source)) != before and read == ["below/b.png"]


def test_a_file_that_was_just_written_is_read_again(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be written again without a change of its times."""
    monkeypatch.setattr(source_fingerprint, "SETTLED", 10**12)
    before = of_source(dataset(source))
    monkeypatch.setattr(source_fingerprint, "_sha256", lambda file: "another")
    assert of_source(dataset(source)) != before


@pytest.mark.parametrize("content", ["", "damaged", "\n\n", "x y z\n1 2"])
def test_a_damaged_list_of_checksums_is_made_again(source: Path, content: str) -> None:
    before = of_source(dataset(source))
    [kept] = KEPT.iterdir()
    kept.write_text(content)
    assert of_source(dataset(source)) == before


def test_a_large_file_is_read_once_for_its_reader_too(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = of_source(dataset(source))
    (source / "a.png").touch()
    monkeypatch.setattr(source_fingerprint, "LARGE", 1)
    asked: list[Path] = []
    checksums = source_fingerprint.checksums
    monkeypatch.setattr(source_fingerprint, "checksums", lambda path: (asked.append(path), checksums(path))[1])
    assert of_source(dataset(source)) == before and asked


def test_what_is_downloaded_has_no_fingerprint() -> None:
    assert of_source(dataset("download")) == ""


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("nowhere", "there is no folder"),
        ("../mine/a.png/below", "there is no folder"),
        ("~/mine", "DVC does not know ~; write the whole path"),
        ("x" * 300, r"x cannot be read \(File name too long\)"),
    ],
)
def test_a_source_that_cannot_be_found_is_refused(source: Path, name: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        of_source(dataset(name))


@pytest.mark.parametrize("name", [".", "data", "data/raw"])
def test_a_folder_with_files_of_the_pipeline_is_no_source(source: Path, name: str) -> None:
    Path("data/raw").mkdir(parents=True)
    with pytest.raises(UserError, match="where the pipeline writes its own files"):
        of_source(dataset(name))


def test_a_folder_behind_a_link_with_files_of_the_pipeline_is_no_source(source: Path, tmp_path: Path) -> None:
    (tmp_path / "disk/raw").mkdir(parents=True)
    Path("data").symlink_to(tmp_path / "disk")
    for name in (tmp_path / "disk", "data", tmp_path / "disk/raw"):
        with pytest.raises(UserError, match="where the pipeline writes its own files"):
            of_source(dataset(name))


def test_a_source_may_be_a_link(source: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(source)
    assert of_source(dataset(tmp_path / "link")) == of_source(dataset(source))


def test_a_link_in_a_circle_is_named(source: Path) -> None:
    (source / "round.png").symlink_to("round.png")
    with pytest.raises(UserError, match=r"round.png cannot be read .*symbolic links"):
        of_source(dataset(source))


def test_a_link_to_nothing_is_named(source: Path) -> None:
    (source / "gone.png").symlink_to("nowhere")
    with pytest.raises(UserError, match="gone.png is a link to a file that does not exist"):
        of_source(dataset(source))


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: os.symlink("/dev/zero", path)])
def test_what_is_no_regular_file_is_refused_by_name(source: Path, make: Callable[[Path], None]) -> None:
    make(source / "below/pipe.png")
    for read in (of_source, file_of_the_future, lambda _: source_fingerprint.state(source)):
        with pytest.raises(UserError, match="below/pipe.png is no file .* remove it"):
            read(dataset(source))


def test_a_file_that_may_not_be_read_is_named(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(file: source_fingerprint.Found) -> str:
        raise PermissionError(13, "Permission denied", file.path)

    monkeypatch.setattr(source_fingerprint, "_sha256", forbidden)
    with pytest.raises(UserError, match=r"a.png cannot be read \(Permission denied\); make it readable, or remove it"):
        of_source(dataset(source))


def close(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away the permissions of a folder. They do not bind root, so that the system's answers are made up."""

    def refusing(call: Callable[..., object], *, inside_only: bool) -> Callable[..., object]:
        def refuse(path: Path | str, **options: bool) -> object:
            if folder in Path(path).parents or (Path(path) == folder and not inside_only):
                raise PermissionError(13, "Permission denied", str(path))
            return call(path, **options)

        return refuse

    monkeypatch.setattr(os, "stat", refusing(os.stat, inside_only=True))
    monkeypatch.setattr(os, "scandir", refusing(os.scandir, inside_only=False))


@pytest.mark.parametrize(("closed", "named"), [("mine", "mine/below"), ("mine", "mine"), ("mine/below", "mine")])
def test_a_source_without_permission_is_named(
    source: Path, monkeypatch: pytest.MonkeyPatch, closed: str, named: str
) -> None:
    close(source.parent / closed, monkeypatch)
    chosen = dataset(source.parent / named)
    for read in (of_source, file_of_the_future, lambda _: source_fingerprint.state(source.parent / named)):
        with pytest.raises(UserError, match=rf"{closed}\S* cannot be read \(Permission denied\); .*permissions"):
            read(chosen)


def test_a_file_that_vanishes_meanwhile_is_named(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def vanishing(kept: Path) -> dict[str, str]:
        (source / "a.png").unlink()
        return {}

    monkeypatch.setattr(source_fingerprint, "_read", vanishing)
    with pytest.raises(UserError, match=r"mine/a.png vanished while the folder was read; run again"):
        of_source(dataset(source))


def test_a_source_that_is_a_file_is_told_to_be_a_folder(source: Path) -> None:
    with pytest.raises(UserError, match="which is a file; name its folder"):
        of_source(dataset(source / "a.png"))


def test_a_name_that_is_not_text_is_refused(source: Path) -> None:
    Path(os.fsdecode(os.fsencode(source) + b"/\xff.png")).touch()
    with pytest.raises(UserError, match="is not UTF-8; rename the file"):
        of_source(dataset(source))


def test_a_file_with_a_time_in_the_future_is_found(source: Path) -> None:
    assert file_of_the_future(dataset(source)) is None
    os.utime(source / "below/b.png", (4e9, 4e9))
    assert file_of_the_future(dataset(source)) == source / "below/b.png"
    assert file_of_the_future(dataset("download")) is None
