"""What a study cost: wall time and memory of every stage, from the notes that the steps write next to their files."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from vaeline.report.results import Results
from vaeline.runs.timing import OF_DATA, Time, entry_of, read_times
from vaeline.study.step_settings import OF_RUN


class Cost(NamedTuple):
    """What a stage cost in all its runs."""

    runs: int  # that have a note
    seconds: float  # wall time of all runs together
    peak_bytes: int | None  # the most memory that one of its processes used; None if no run noted it


def costs(results: Results, shared: Path, features: str, trials: Iterable[Path] = ()) -> dict[str, Cost]:
    """What each stage before the report cost, in the order of the stages; stages without a note are omitted.

    The report itself is omitted: it is written before its own cost is known.

    Args:
        results: the study's runs.
        shared: the notes of the stages that all runs share, `data/<id>.timing.json`.
        features: the feature space of the evaluation. Another study of the same data may have used another one.
        trials: the notes of the trials of all variants.

    Raises:
        UserError: the notes are damaged.
    """
    notes = read_times(shared)
    found = {step: [notes[name]] for step in OF_DATA if (name := entry_of(step, features)) in notes}
    found["trial"] = [times["trial"] for times in map(read_times, trials) if "trial" in times]
    found |= {step: [run.times[step] for run in results.runs if step in run.times] for step in OF_RUN}
    return {step: _sum(times) for step, times in found.items() if times}


def _sum(times: Iterable[Time]) -> Cost:
    times = list(times)
    peaks = [time.peak_bytes for time in times if time.peak_bytes is not None]
    return Cost(len(times), sum(time.seconds for time in times), max(peaks, default=None))
