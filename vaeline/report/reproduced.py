"""What `make reproduce` found of one published row: the content of results/reproduce/<row>.json, and its line in a table."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, FiniteFloat

from vaeline.report.equivalence import Outcome
from vaeline.runs.folder import RESULTS
from vaeline.system.errors import reading_ours
from vaeline.system.sealed_files import read_sealed, write_sealed

FOLDER = Path(RESULTS, "reproduce")
AGAIN = "remove it, and run `vaeline reproduce` for the row again"
HEADINGS = ("row", "metric", "published", "ours", "around the modes", "margin", "length", "outcome")
CLOSED_FORM = "closed form"


class Reproduced(BaseModel):
    """A row, what was measured for it, and what came out."""

    model_config = ConfigDict(strict=True, extra="forbid")

    row: str
    key: str  # hash of all that decides the rest: the row, its study, the content of its source, the code
    metric: str
    published: FiniteFloat  # or the known optimum, mean over seeds
    closed_form: bool  # whether it is that
    error: float  # of the published value
    margin: float
    source: str
    verified: str
    notes: str
    epochs: int
    of_epochs: int  # the published length
    seeds: list[int]
    ours: FiniteFloat  # measured as published, mean over seeds
    images: int
    data: dict[str, str]  # split -> checksum of its images in the store
    difference: FiniteFloat  # ours - published
    half_width: FiniteFloat | None  # of its interval of 90%
    over: list[str]  # what the interval ranges over
    around_modes: FiniteFloat | None  # the likelihood as we estimate it
    around_modes_bound: str  # why it is an upper bound; empty if it is an estimate
    outcome: Outcome
    reason: str
    commit: str
    hardware: str


def path_of(row: str) -> Path:
    """The file of a row."""
    return FOLDER / f"{row}.json"


def write(found: Reproduced) -> None:
    """Write a row under a seal."""
    write_sealed(path_of(found.row), found.model_dump())


def read(row: str) -> Reproduced:
    """Read a row.

    Raises:
        UserError: the file is missing or damaged.
    """
    return validated(path_of(row), read_sealed(path_of(row), AGAIN))


def validated(path: Path, content: Mapping[str, Any], again: str = AGAIN) -> Reproduced:
    """The content of a file as a row.

    Args:
        path: of the file.
        content: of the row.
        again: what to do if it is no row.

    Raises:
        UserError: it is none.
    """
    with reading_ours(path, again):
        return Reproduced.model_validate(content)


def cells(found: Reproduced) -> tuple[str, ...]:
    """A row of the table, in the order of HEADINGS."""
    digits = 3 if found.metric == "mig" or found.closed_form else 2
    bound = "≤ " if found.around_modes_bound else ""
    spread = "" if found.half_width is None else f" ± {found.half_width:.{digits}f}"
    known = f"{found.published:.{digits}f}" + (f" ({CLOSED_FORM})" if found.closed_form else "")
    whole = "whole" if found.epochs == found.of_epochs else f"{found.epochs:,} of {found.of_epochs:,} epochs"
    return (
        found.row, found.metric, known, f"{found.ours:.{digits}f}{spread}",
        "" if found.around_modes is None else f"{bound}{found.around_modes:.{digits}f}", f"{found.margin:g}", whole,
        f"{found.outcome}: {found.reason}",
    )  # fmt: skip


def markdown(rows: Iterable[Reproduced]) -> str:
    """The table of a page."""
    lines = [HEADINGS, tuple("---" for _ in HEADINGS), *map(cells, rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
