"""Checksums: computed in one pass, kept until the file changes."""

import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from vaeline.data import checksums
from vaeline.data.checksums import KEPT, move


@pytest.fixture
def hashed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that are read, in a project in which a file counts as settled at once."""
    found: list[Path] = []
    read = checksums._hash
    monkeypatch.setattr(checksums, "_hash", lambda path: (found.append(path), read(path))[1])
    monkeypatch.setattr(checksums, "SETTLED", 0)
    monkeypatch.chdir(tmp_path)
    return found


def test_all_checksums_are_those_of_the_standard(hashed: list[Path], tmp_path: Path) -> None:
    path, content = tmp_path / "abc", b"abc" * 10**6
    path.write_bytes(content)
    expected = (len(content), hashlib.md5(content).hexdigest(), hashlib.sha256(content).hexdigest())
    assert checksums.checksums(path) == expected == checksums.checksums(path)
    assert checksums.fingerprint(path) == {"bytes": expected[0], "sha256": expected[2]}
    assert hashed == [path]


def test_a_file_behind_a_link_is_not_read_again(hashed: list[Path], tmp_path: Path) -> None:
    (tmp_path / "faces").mkdir()
    (tmp_path / "faces/a").write_bytes(b"a")
    (tmp_path / "link").symlink_to(tmp_path / "faces")
    checksums.checksums(Path("faces/a"))
    checksums.checksums(tmp_path / "link/a")
    assert len(hashed) == 1


def rewritten(path: Path) -> None:
    path.write_bytes(b"b")


def rewritten_with_the_old_time(path: Path) -> None:
    before = path.stat()
    path.write_bytes(b"b")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def replaced_with_the_old_time(path: Path) -> None:
    before = path.stat()
    path.with_name("new").write_bytes(b"b")
    os.utime(path.with_name("new"), ns=(before.st_atime_ns, before.st_mtime_ns))
    path.with_name("new").replace(path)


@pytest.mark.parametrize("change", [rewritten, rewritten_with_the_old_time, replaced_with_the_old_time])
def test_a_file_that_changes_is_read_again(hashed: list[Path], tmp_path: Path, change: Callable[[Path], None]) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"a")
    checksums.checksums(path)
    time.sleep(0.02)  # longer than the resolution of the times of files
    change(path)
    assert checksums.checksums(path).md5 == hashlib.md5(b"b").hexdigest()
    assert len(hashed) == 2


def test_a_file_that_was_written_just_now_is_not_kept(
    hashed: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checksums, "SETTLED", 60 * 10**9)
    (tmp_path / "a").write_bytes(b"a")
    checksums.checksums(tmp_path / "a")
    checksums.checksums(tmp_path / "a")
    assert len(hashed) == 2 and not KEPT.exists()


def test_a_renamed_file_keeps_its_checksums(hashed: list[Path], tmp_path: Path) -> None:
    source, target = tmp_path / "a.unchecked", tmp_path / "a"
    source.write_bytes(b"a")
    found = checksums.checksums(source)
    move(source, target)
    assert checksums.checksums(target) == found and hashed == [source]
    assert str(source) not in KEPT.read_text()


@pytest.mark.parametrize("content", ["half {", "[]", '{"a": {"md5": "b"}}'])
def test_a_damaged_note_costs_a_reading_and_is_replaced(hashed: list[Path], tmp_path: Path, content: str) -> None:
    KEPT.parent.mkdir()
    KEPT.write_text(content)
    (tmp_path / "a").write_bytes(b"a")
    checksums.checksums(tmp_path / "a")
    checksums.checksums(tmp_path / "a")
    assert len(hashed) == 1


def test_an_altered_checksum_is_not_believed(hashed: list[Path], tmp_path: Path) -> None:
    path = tmp_path / "abc"
    path.write_bytes(b"abc")
    right = checksums.checksums(path)
    KEPT.write_text(KEPT.read_text().replace(right.sha256, "0" * 64))
    assert checksums.checksums(path) == right and len(hashed) == 2


def test_a_project_that_cannot_be_written_costs_a_reading(hashed: list[Path], tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file in place of the folder")
    (tmp_path / "a").write_bytes(b"a")
    assert checksums.checksums(tmp_path / "a") == checksums.checksums(tmp_path / "a")
    assert len(hashed) == 2
