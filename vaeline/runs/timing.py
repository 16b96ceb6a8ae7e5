"""timing.json: wall time and peak memory of each step."""

from pathlib import Path

from pydantic import FiniteFloat, TypeAdapter

from vaeline.runs.folder import read_json
from vaeline.study.parts import Entry


class Time(Entry):
    """A step's entry in timing.json."""

    seconds: FiniteFloat
    host: str
    peak_bytes: int | None = None  # of memory; a step of an older version noted none


TIMES = TypeAdapter(dict[str, Time])


def read_times(path: Path) -> dict[str, Time]:
    """What steps took, by their names; empty where there is no such file.

    Raises:
        UserError: the file is damaged.
    """
    return read_json(TIMES, path) if path.exists() else {}
