"""timing.json: when, where and for how long each step ran, and its peak memory. No engine tracks the file."""

import json
import platform
from datetime import UTC, datetime
from pathlib import Path

from pydantic import FiniteFloat, TypeAdapter

from vaeline.study.parts import Entry
from vaeline.system.files import read_json, write_json
from vaeline.system.hardware import hardware
from vaeline.system.memory import peak


class Time(Entry):
    """A step's entry in timing.json."""

    seconds: FiniteFloat
    host: str
    # None if an older version of the step wrote the entry:
    peak_bytes: int | None = None  # of memory
    finished: str | None = None  # the day, in UTC: 2026-11-29
    hardware: str | None = None  # that the step computed on, in words


OF_DATA = ("download", "preprocess", "classifier", "reference")  # the steps that all studies of a data set share
TIMES = TypeAdapter(dict[str, Time])
# A rule of thumb for what was not measured yet: seconds that a training takes on one core, for each pixel value of each training image in
# each epoch. docs/performance.md: 290 colour images of 64x64 a second, forward and back through convolutions on two cores, are 0.6
# microseconds.
SECONDS_PER_VALUE = 1e-6


def read_times(path: Path) -> dict[str, Time]:
    """The entries of a timing.json by the names of the steps; none if there is no such file.

    Raises:
        UserError: the file is damaged.
    """
    return read_json(TIMES, path, "delete it and run again") if path.exists() else {}


def entry_of(step: str, features: str) -> str:
    """The name of a step's entry: each feature space has a reference of its own."""
    return f"{step}.{features}" if step == "reference" else step


def note_time(path: Path, step: str, seconds: float) -> None:
    """Add the entry of a step that this process has just finished; a damaged file is replaced.

    Args:
        path: of the timing.json.
        step: the name of the entry.
        seconds: of wall time.
    """
    try:
        times = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError, RecursionError):
        times = {}
    if not isinstance(times, dict):
        times = {}
    entry = Time(
        seconds=round(seconds, 2),
        host=platform.node(),
        peak_bytes=peak(),
        finished=datetime.now(UTC).date().isoformat(),
        hardware=hardware(),
    )
    write_json(path, times | {step: entry.model_dump()})
