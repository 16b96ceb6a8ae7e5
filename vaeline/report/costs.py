"""What a study took: wall time and memory of every stage, out of the notes that the steps leave beside their files."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from vaeline.report.results import Results
from vaeline.runs.timing import Time, read_times

SHARED = ("download", "preprocess", "classifier", "reference")
OF_RUNS = ("train", "sample", "evaluate")


class Cost(NamedTuple):
    """What a stage took in all its runs."""

    runs: int  # that noted it
    seconds: float  # of all of them together, wall time
    peak_bytes: int | None  # the most memory that a process of it held; None where none was noted


def costs(results: Results, shared: Path, features: str) -> dict[str, Cost]:
    """What each stage before the report took, in the order of the stages; those without a note are left out.

    The report, which shows this, cannot know what it will have taken itself.

    Args:
        results: the study's runs.
        shared: the notes of the stages that all runs share, `data/<id>.timing.json`.
        features: the feature space of the evaluation: another study of the same data may have measured in another.

    Raises:
        UserError: the notes are damaged.
    """
    notes = read_times(shared)
    found = {step: [notes[name]] for step in SHARED if (name := _name(step, features)) in notes}
    found |= {step: [run.times[step] for run in results.runs if step in run.times] for step in OF_RUNS}
    return {step: _sum(times) for step, times in found.items() if times}


def _name(step: str, features: str) -> str:
    return f"{step}.{features}" if step == "reference" else step


def _sum(times: Iterable[Time]) -> Cost:
    times = list(times)
    peaks = [time.peak_bytes for time in times if time.peak_bytes is not None]
    return Cost(len(times), sum(time.seconds for time in times), max(peaks, default=None))
