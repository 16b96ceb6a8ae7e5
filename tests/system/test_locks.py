"""A lock keeps a second process out."""

import errno
import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from vaeline.system.errors import UserError
from vaeline.system.locks import LOCK, QUEUED, locked

HOLD = "import fcntl, sys; file = open(sys.argv[1], 'a'); fcntl.flock(file, 2); print(flush=True); sys.stdin.read()"


def test_a_lock_excludes_others_until_released(tmp_path: Path) -> None:
    refused = pytest.raises(UserError, match="Another process is training in")
    with locked(tmp_path, "training"), refused, locked(tmp_path, "training"):
        pass
    with locked(tmp_path, "training"):
        pass


def test_a_job_of_a_queue_waits_for_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(QUEUED, "1")
    command = [sys.executable, "-c", HOLD, str(tmp_path / LOCK)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdin and holder.stdout and holder.stdout.readline()
        flock, waited = fcntl.flock, []

        def wait(file: object, how: int) -> None:
            if not how & fcntl.LOCK_NB:
                waited.append(holder.poll())
                holder.stdin.close()  # lets it end
            flock(file, how)  # type: ignore[arg-type]

        monkeypatch.setattr(fcntl, "flock", wait)
        with locked(tmp_path, "training"):
            assert waited == [None]
    assert "Another process is training in" in capsys.readouterr().err


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_file_system_without_locks_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def refuse(file: object, how: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    refused = pytest.raises(UserError, match=r"\.lock cannot be locked \(.*\), because its file system has no locks")
    with refused, locked(tmp_path, "training"):
        pass
