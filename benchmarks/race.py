"""Two sides of one piece of work, timed in turns: what a noisy machine does to one it does to the other."""

import json
import os
import platform
import subprocess
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from types import TracebackType
from typing import Any

ROOT = Path(__file__).parents[1]
MEASURED = ROOT / "benchmarks/measured"  # what was found, a file for each kind of it
OURS = ROOT / ".venv/bin/python"
PEERS = ROOT / "benchmarks/.venv/bin/python"
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")  # where libraries look for how many to use


@dataclass(frozen=True)
class Side:
    """A function of `benchmarks/sides` that sets work up, and the Python of the environment that it runs in."""

    python: Path
    module: str
    function: str
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Race:
    """What two sides were measured to do, turn by turn."""

    baseline: list[float]  # amounts of work a second
    ours: list[float]
    baseline_peak: int  # bytes that the process held at most
    ours_peak: int

    @property
    def ratio(self) -> float:
        """How many times as fast ours is: of the medians."""
        return median(self.ours) / median(self.baseline)

    @property
    def spread(self) -> tuple[float, float]:
        """The least and the greatest ratio of one turn."""
        ratios = [ours / theirs for theirs, ours in zip(self.baseline, self.ours, strict=True)]
        return min(ratios), max(ratios)


def race(baseline: Side, ours: Side, threads: int, turns: int) -> Race:
    """Let both work by turns, after a turn each that does not count.

    Args:
        baseline: the peer.
        ours: this project.
        threads: that each may use, and cores that each may run on.
        turns: that count.

    Raises:
        RuntimeError: a side broke; with what it said.
    """
    with ExitStack() as stack:
        racers = [stack.enter_context(Racer(side, threads)) for side in (baseline, ours)]
        rates: list[list[float]] = [[], []]
        for turn in range(turns + 1):
            for racer, found in zip(racers, rates, strict=True):
                rate = racer.work()
                if turn:
                    found.append(rate)
        return Race(rates[0], rates[1], racers[0].peak, racers[1].peak)


class Racer:
    """A side in a process of its own, held between its turns."""

    def __init__(self, side: Side, threads: int) -> None:
        self.side = side
        self.peak = 0
        self.words = tempfile.TemporaryFile("w+")  # noqa: SIM115, closed with the racer
        cores = sorted(os.sched_getaffinity(0))[:threads]
        self.process = subprocess.Popen(
            [str(side.python), "-m", "benchmarks.side", side.module, side.function, *side.arguments],
            cwd=ROOT,
            env=os.environ | dict.fromkeys(THREADS, str(threads)) | {"PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.words,
            text=True,
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )
        self._answer()

    def work(self) -> float:
        """Let it work once; how much of it a second."""
        assert self.process.stdin
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        answer = self._answer()
        self.peak = answer["peak_bytes"]
        return float(answer["amount"]) / float(answer["seconds"])

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            status = self.process.wait()
            self.words.seek(0)
            raise RuntimeError(f"{self.side} broke with status {status}:\n{self.words.read()}")
        found: dict[str, Any] = json.loads(line)
        return found

    def __enter__(self) -> "Racer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()
        self.words.close()


def machine() -> str:
    """The processor, and how many of its cores there are."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    return f"{names[0] if names else platform.processor()}, {os.cpu_count()} cores"
