"""A lock of another process is waited for with a sentence, and not for ever."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from vaeline.system.errors import UserError
from workflow import waiting

HOLD = (
    "import fcntl, sys, time; f = open(sys.argv[1], 'a'); fcntl.flock(f, 2); print(flush=True); time.sleep({seconds})"
)
WAIT = "import sys; from workflow.waiting import wait_for; wait_for(open(sys.argv[1], 'a'))"


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(waiting, "QUIET", 0.1)
    monkeypatch.setattr(waiting, "LONGEST", 0.4)
    return tmp_path / "lock"


def hold(path: Path, seconds: float) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD.format(seconds=seconds), str(path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout and process.stdout.readline()
    return process


@pytest.fixture
def held(path: Path) -> Iterator[subprocess.Popen[str]]:
    with hold(path, 60) as process:
        yield process
        process.kill()


def test_the_holder_of_a_lock_is_named_and_not_waited_for_forever(
    path: Path, held: subprocess.Popen[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with path.open("a") as file, pytest.raises(UserError, match=rf"Process {held.pid} \(.*\) has kept .* stop it"):
        waiting.wait_for(file)
    assert f"Process {held.pid} (" in capsys.readouterr().err


def test_a_lock_that_is_given_back_is_taken(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "LONGEST", 30.0)
    with hold(path, 0.2), path.open("a") as file:
        waiting.wait_for(file)
        assert f"Process {os.getpid()} (" in waiting.holder(file)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_waiting(path: Path, held: subprocess.Popen[str], number: signal.Signals) -> None:
    command = [sys.executable, "-c", WAIT, str(path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr and "has locked" in process.stderr.readline()
        process.send_signal(number)
        process.stderr.read()
        assert process.wait(30) == -number
