"""Progress: a bar on a terminal, few lines in a log."""

import io
import sys

import pytest

from vaeline.system import progress
from vaeline.system.progress import Bar, watched
from workflow.said import PROGRESS


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that a test lets pass."""
    progress.of_run("")  # which steps that were called in this process have set
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_a_log_gets_occasional_lines(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    with Bar("train", total=9000, done=1000) as bar:
        for _ in range(50):
            clock[0] += 1
            bar.advance(20, "epoch 1 rate 2.0")
    said = capsys.readouterr()
    assert said.out == "" and said.err.splitlines() == [
        "train: epoch 1 rate 2.0 | 1,420 of 9,000 images, 20 a second, about 7 min left",
        "train: epoch 1 rate 2.0 | 1,840 of 9,000 images, 20 a second, about 6 min left",
    ]


def test_slow_work_is_counted_by_the_minute(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    with Bar("classifier", total=3, unit="epochs") as bar:
        clock[0] += 40
        bar.advance(1)
        clock[0] += 40
        bar.advance(2)
    assert capsys.readouterr().err.splitlines() == [
        "classifier: 1 of 3 epochs, 1.5 a minute, about 2 min left",
        "classifier: 3 of 3 epochs, 2.2 a minute",
    ]


@pytest.mark.parametrize(
    ("total", "done", "count", "line"),
    [
        (9000, 100, 0, "download: 100 of 9,000 bytes, 0 a minute"),
        (100, 0, 300, "download: 300 of 100 bytes, 10 a second"),
        (None, 100, 300, "download: 400 bytes, 10 a second"),
    ],
    ids=["nothing came", "more came than was said", "of unknown size"],
)
def test_no_time_left_is_told_where_it_is_unknown(
    total: int | None, done: int, count: int, line: str, clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    with Bar("download", total, done, "bytes") as bar:
        clock[0] += 30
        bar.advance(count)
    assert capsys.readouterr().err == f"{line}\n"
    assert PROGRESS.fullmatch(line)


def test_quick_work_logs_nothing(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    assert list(watched(iter([[1, 2], [3]]), "features", 3)) == [[1, 2], [3]]
    assert capsys.readouterr() == ("", "")


def test_a_terminal_gets_a_bar_with_rate_and_remaining_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with Bar("likelihood", total=4) as bar:
        bar._bar.mininterval = 0
        bar.advance(2, "so far")
    last = terminal.getvalue().split("\r")[-1]
    assert "likelihood" in last and "2/4" in last and "images/s" in last and "so far" in last
