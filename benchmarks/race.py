"""Races: two processes do the same work and are timed in alternating turns.

Other load on the machine slows both sides, so the ratio of their rates holds where single times do not.
"""

import json
import os
import subprocess
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from types import TracebackType
from typing import TypedDict

ROOT = Path(__file__).parents[1]
MEASURED = ROOT / "benchmarks/measured"  # results, one JSON file for each kind of benchmark
OUR_PYTHON = ROOT / ".venv/bin/python"
PEER_PYTHON = ROOT / "benchmarks/.venv/bin/python"
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class Answer(TypedDict):
    """What a process prints after each turn; see `benchmarks.side`."""

    amount: float  # images, distances, ...
    seconds: float
    peak_bytes: int


class RaceResult(TypedDict):
    """A race as the file of its kind of processor in benchmarks/measured keeps it."""

    baseline: list[float]  # amount of work per second, turn by turn
    ours: list[float]
    baseline_peak: int  # bytes
    ours_peak: int
    ratio: float
    spread: tuple[float, float]
    threads: int
    date: str
    machine: str


@dataclass(frozen=True)
class Side:
    """One side of a race: a function in `benchmarks/sides`, and the environment it runs in."""

    python: Path  # OUR_PYTHON or PEER_PYTHON
    module: str
    function: str
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Race:
    """Result of a race, turn by turn."""

    baseline: list[float]  # amount of work per second
    ours: list[float]
    baseline_peak: int  # peak memory of the process, bytes
    ours_peak: int

    @property
    def ratio(self) -> float:
        """How many times as fast ours is, by the medians."""
        return median(self.ours) / median(self.baseline)

    @property
    def spread(self) -> tuple[float, float]:
        """Smallest and largest ratio of a single turn."""
        ratios = [ours / theirs for theirs, ours in zip(self.baseline, self.ours, strict=True)]
        return min(ratios), max(ratios)


def race(baseline: Side, ours: Side, threads: int, turns: int) -> Race:
    """Time both sides in alternating turns, after one warm-up turn each.

    Args:
        baseline: the peer.
        ours: this project.
        threads: number of threads of each side, and of cores it may run on.
        turns: number of timed turns of each side.

    Raises:
        RuntimeError: a side failed. The message holds its error output.
    """
    with ExitStack() as stack:
        processes = [stack.enter_context(SideProcess(side, threads)) for side in (baseline, ours)]
        rates: list[list[float]] = [[], []]
        for turn in range(turns + 1):
            for process, its_rates in zip(processes, rates, strict=True):
                rate = process.work()
                if turn > 0:
                    its_rates.append(rate)
        return Race(rates[0], rates[1], processes[0].peak, processes[1].peak)


class SideProcess:
    """A side in its own process, which waits between its turns.

    Args:
        side: what to run.
        threads: number of threads, and of cores the process may run on.

    Raises:
        RuntimeError: the side failed to set up its work.
    """

    def __init__(self, side: Side, threads: int) -> None:
        self.side = side
        self.peak = 0  # bytes
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115, closed by __exit__
        cores = sorted(os.sched_getaffinity(0))[:threads]
        self.process = subprocess.Popen(
            [str(side.python), "-m", "benchmarks.side", side.module, side.function, *side.arguments],
            cwd=ROOT,
            env=os.environ | dict.fromkeys(THREAD_VARIABLES, str(threads)) | {"PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )
        self._read_line()  # the process prints an empty answer when its work is set up

    def work(self) -> float:
        """Do the work once.

        Returns:
            Amount of work per second.

        Raises:
            RuntimeError: the side failed.
        """
        assert self.process.stdin
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        answer: Answer = json.loads(self._read_line())
        self.peak = answer["peak_bytes"]
        return answer["amount"] / answer["seconds"]

    def _read_line(self) -> str:
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            status = self.process.wait()
            self.errors.seek(0)
            raise RuntimeError(f"{self.side} failed with exit status {status}:\n{self.errors.read()}")
        return line

    def __enter__(self) -> "SideProcess":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()
        self.errors.close()
