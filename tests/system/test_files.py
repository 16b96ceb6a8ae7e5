"""Files are written completely or not at all."""

import errno
import os
import platform
import subprocess
import time
from pathlib import Path

import pytest

from vaeline.system.errors import UserError
from vaeline.system.files import in_future, json_sha256, sha256, write_json, write_text, written_aside


def test_a_file_appears_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file.txt"
    with written_aside(path) as aside:
        aside.write_text("whole")
        assert not path.exists()
    assert path.read_text() == "whole" and list(path.parent.iterdir()) == [path]


def test_a_file_has_the_usual_permissions(tmp_path: Path) -> None:
    path, plain = tmp_path / "a", tmp_path / "b"
    plain.touch()
    write_text(path, "whole")
    assert path.stat().st_mode == plain.stat().st_mode


def test_an_error_keeps_the_old_file_only(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(ValueError, match="half"), written_aside(path) as aside:
        aside.write_text("ha")
        raise ValueError("half")
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "x"), OSError(errno.EDQUOT, "x"), RuntimeError("can't: No space left on device")]
)
def test_a_full_disk_is_reported(tmp_path: Path, error: Exception) -> None:
    with (
        pytest.raises(UserError, match=r"disk is full while writing .*file.txt"),
        written_aside(tmp_path / "file.txt") as aside,
    ):
        aside.write_text("ha")
        raise error
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_cannot_be_written_to_is_reported_with_the_final_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, *words: object, **options: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system", str(path))

    monkeypatch.setattr(Path, "write_bytes", refuse)
    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(OSError, match="Read-only file system") as caught:
        write_text(tmp_path / "report.html", "new")
    assert caught.value.filename == str(tmp_path / "report.html")


def test_leftovers_of_killed_processes_are_removed(tmp_path: Path) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    here = platform.node()
    kept = [
        f".a.json.{here}-{os.getppid()}.part",
        f".a.json.elsewhere-{ended.pid}.part",
        f".b.json.{here}-{ended.pid}.part",
    ]
    for name in [f".a.json.{here}-{ended.pid}.part", *kept]:
        (tmp_path / name).touch()
    write_json(tmp_path / "a.json", {})
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["a.json", *kept])


def test_json_is_sorted_and_refuses_nan(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"b": 1, "a": 2})
    assert (tmp_path / "a.json").read_text() == '{\n  "a": 2,\n  "b": 1\n}\n'
    with pytest.raises(ValueError):
        write_json(tmp_path / "b.json", {"a": float("nan")})
    assert not (tmp_path / "b.json").exists()


def test_sha256_matches_the_standard(tmp_path: Path) -> None:
    write_text(tmp_path / "abc", "abc")
    assert sha256(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_checksum_of_values_does_not_depend_on_order_or_tuples() -> None:
    assert json_sha256({"a": (1, 2.5), "b": {10: None, 9: "é"}}) == json_sha256(
        {"b": {"9": "é", "10": None}, "a": [1, 2.5]}
    )
    assert json_sha256([1]) != json_sha256([1.0])


def test_clocks_that_differ_by_seconds_are_no_future() -> None:
    assert not in_future(time.time()) and not in_future(time.time() + 5) and in_future(time.time() + 3600)
