"""What was found of published rows: the values in results/reproduce/<row>.json, the numbers in docs/reproduced.json, and lines of a table.

Margins, words and outcomes are in neither: they are taken from studies/published.yaml whenever they are shown.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, FiniteFloat, ValidationError, field_validator

from vaeline.data.paths import DOWNLOAD
from vaeline.report import equivalence, results_block
from vaeline.report.equivalence import FromPublished, Verdict, difference
from vaeline.report.estimates import RunValue
from vaeline.report.kept_results import SHOWN_OF_COMMIT
from vaeline.report.table import number
from vaeline.report.words import listed
from vaeline.runs.folder import RESULTS
from vaeline.study import published_rows
from vaeline.study.published_rows import FULL, How, PublishedRow, PublishedRows, study_of
from vaeline.study.reading import check
from vaeline.study.schema import Study
from vaeline.system.errors import UserError, reading_ours, some_of
from vaeline.system.sealed_files import read_sealed, write_sealed

FOLDER = Path(RESULTS, "reproduce")
KEPT = Path("docs/reproduced.json")
AGAIN = "remove it, and run `vaeline reproduce` for the row again"
HEADINGS = ("row", "metric", "published", "ours", "images", "around the modes", "margin", "length", "outcome")
OF_STUDY = {"dataset", "evaluation", "study", "training", "variants"}  # its sections that decide a row
COMMIT = re.compile("[0-9a-f]{7,40}")
OF_ROW = {"metric", "value", "error", "how"}
AGREE = 1e-3  # nats, between a closed form and what it is known to be; the data set and its split are drawn with the same bits everywhere


class RowValues(BaseModel):
    """What was measured for a row."""

    model_config = ConfigDict(strict=True, extra="forbid")

    row: str
    key: str  # hash of all that decides the rest: the study, how it is measured, the content of its source, the code
    epochs: int
    values: dict[str, list[dict[str, Any]]]  # manner -> of each seed, as the step `measure` writes it
    commit: str  # of the process that measured
    hardware: list[str]  # of the trainings

    @property
    def data(self) -> dict[str, str]:
        """Split -> checksum of its images in the store.

        Raises:
            UserError: they are not the same under each seed, because the store was replaced in between.
        """
        first, *others = [dict(each["of"]["data"]) for each in self.values["published"]]
        if any(other != first for other in others):
            raise UserError(f"The images of the row {self.row} changed while its seeds were measured; run again.")
        return first

    def require_own_weights(self) -> None:
        """Check that each seed gave weights of its own.

        Raises:
            UserError: two have the same, so that one training would count for several.
        """
        weights = [each["of"]["weights_sha256"] for each in self.values["published"]]
        if len({*weights}) < len(weights):
            raise UserError(
                f"Two seeds of the row {self.row} ended in the same weights, so that its interval would take one training for several; look "
                "for what ignores the seed, and run again."
            )


class Reproduced(BaseModel):
    """A row in numbers."""

    model_config = ConfigDict(strict=True, extra="forbid")

    row: str
    settings: dict[str, Any]  # of the row and its study, as `settings_of` returns them
    metric: str
    published: FiniteFloat  # or the known optimum, mean over seeds
    closed_form: bool  # whether it is that
    epochs: int
    of_epochs: int  # the published length
    seeds: list[int]
    ours: FiniteFloat  # measured as published, mean over seeds
    images: int
    data: dict[str, str]  # split -> checksum of its images in the store
    difference: FiniteFloat  # ours - published
    half_width: FiniteFloat | None  # of its interval of 90%
    over: list[str]  # what the interval ranges over
    saturated: str  # why ours says nothing; empty if it does
    around_modes: FiniteFloat | None  # the likelihood as we estimate it
    around_modes_bound: str  # why it is an upper bound; empty if it is an estimate
    around_modes_images: int | None
    commit: str
    hardware: list[str]


class Kept(BaseModel):
    """The content of docs/reproduced.json."""

    model_config = ConfigDict(strict=True, extra="forbid")

    rows: list[Reproduced]

    @field_validator("rows")
    @classmethod
    def once_each(cls, rows: list[Reproduced]) -> list[Reproduced]:
        if len({each.row for each in rows}) < len(rows):
            raise ValueError("a row is there twice")
        return rows


def path_of(row: str) -> Path:
    """The file of what was measured for a row."""
    return FOLDER / f"{row}.json"


def write(found: RowValues) -> None:
    """Write what was measured for a row under a seal."""
    write_sealed(path_of(found.row), found.model_dump())


def read(row: str) -> RowValues:
    """Read what was measured for a row.

    Raises:
        UserError: the file is missing or damaged.
    """
    content = read_sealed(path_of(row), AGAIN)
    with reading_ours(path_of(row), AGAIN):
        return RowValues.model_validate(content)


def write_kept(rows: Iterable[Reproduced]) -> None:
    """Write the rows that the repository has."""
    write_sealed(KEPT, {"rows": [each.model_dump() for each in rows]})


def kept_rows() -> list[Reproduced]:
    """The rows that the repository has.

    Raises:
        UserError: their file is damaged.
    """
    if not KEPT.exists():
        return []
    again = f"restore it by `git checkout {KEPT}`"
    content = read_sealed(KEPT, again)
    with reading_ours(KEPT, again):
        return Kept.model_validate(content).rows


def settings_of(row: PublishedRow, whole: Study) -> dict[str, Any]:
    """The settings that decide the numbers of a row, with those at their default, and without code, prose, margin, and paths.

    Args:
        row: a published row.
        whole: its study at the published length.
    """
    return {"row": row.model_dump(mode="json", include=OF_ROW), "study": _of_study(whole)}


def _of_study(study: Study) -> dict[str, Any]:
    content = study.model_dump(mode="json", include=OF_STUDY)
    content["dataset"].pop("source", None)
    return content


def holds(now: Mapping[str, Any] | None, then: Mapping[str, Any]) -> bool:
    """Whether settings of a row are those of then. A key that the schema did not have then was at its default of today.

    Args:
        now: the settings, as `settings_of` returns them; None if there is no such row any more.
        then: those that were kept.
    """
    if now is None:
        return False
    return now == then or now == _filled(then)


def _filled(then: Mapping[str, Any]) -> dict[str, Any] | None:
    """Settings with the defaults of today for keys that are new; None if a key has gone since, or means something else."""
    try:
        row, study = then["row"], then["study"]
        whole = check({**study, "dataset": {**study["dataset"], "source": DOWNLOAD}}, KEPT)
        how = How.model_validate(row["how"])
    except (KeyError, UserError, ValidationError):
        return None
    return {"row": {**row, "how": how.model_dump(mode="json")}, "study": _of_study(whole)}


def settings_now(known: PublishedRows) -> dict[str, dict[str, Any]]:
    """Row -> its settings, in the order of the file."""
    whole = {name: study_of(name, setting, FULL) for name, setting in known.settings.items()}
    return {name: settings_of(row, whole[row.setting]) for name, row in known.rows.items()}


def require_settings(kept: Iterable[Reproduced], known: PublishedRows) -> None:
    """Check that rows were measured with the settings that published.yaml has, since a page shows both side by side.

    Raises:
        UserError: one was not, or published.yaml has no row of its name.
    """
    now = settings_now(known)
    if gone := [each.row for each in kept if each.row not in now]:
        raise UserError(
            f"{KEPT} has {some_of(gone)}, and {published_rows.path()} has no such row; take the change back, or reproduce any row with KEEP=1, "
            "which drops what has no row."
        )
    if changed := [each.row for each in kept if not holds(now[each.row], each.settings)]:
        raise UserError(
            f"{KEPT} has {some_of(changed)} with other settings or another published value than {published_rows.path()}; run "
            f'`make reproduce ROWS="{" ".join(changed)}" KEEP=1`, or take the change back.'
        )


def numbers(row: PublishedRow, whole: Study, measured: RowValues) -> Reproduced:
    """What values say of a row.

    Args:
        row: a published row.
        whole: its study at the published length.
        measured: the values.

    Raises:
        UserError: the seeds were measured on different images, or have the same weights.
    """
    measured.require_own_weights()
    published, modes = measured.values["published"], measured.values.get("around_modes", [])
    known = _mean(each["known"] for each in published) if row.closed_form else float(row.value)
    found = _difference(row, published)
    return Reproduced(
        row=measured.row, settings=settings_of(row, whole), metric=row.metric, published=known, closed_form=row.closed_form, epochs=measured.epochs,
        of_epochs=whole.training.epochs, seeds=whole.study.seeds, ours=_mean(each["value"] for each in published),
        images=published[0]["images"], data=measured.data, difference=found.value, half_width=found.half_width, over=list(found.over),
        saturated=_first(published, "saturated"), around_modes=_mean(each["value"] for each in modes) if modes else None,
        around_modes_bound=_first(modes, "upper_bound"), around_modes_images=modes[0]["images"] if modes else None,
        commit=measured.commit, hardware=measured.hardware,
    )  # fmt: skip


def _difference(row: PublishedRow, published: Sequence[Mapping[str, Any]]) -> FromPublished:
    """Ours less published; at a known optimum, image by image."""
    apart = [each["apart"] if row.closed_form else each for each in published]
    runs = [RunValue(each["value"], each["parts"]) for each in apart]
    return difference(
        runs, [each["standard_error"] for each in apart], 0.0 if row.closed_form else float(row.value), row.error
    )


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / len(found)


def _first(values: Iterable[Mapping[str, Any]], key: str) -> str:
    """The first reason at a key, or an empty text."""
    return next((each[key] for each in values if each[key]), "")


def verdict(row: PublishedRow, found: Reproduced) -> Verdict:
    """Whether ours equals the published value.

    Args:
        row: a published row.
        found: its numbers.
    """
    if row.differs:
        return Verdict("not comparable", row.differs)
    if found.epochs < found.of_epochs:
        return Verdict("not comparable", f"trained for {found.epochs:,} of {found.of_epochs:,} epochs")
    if found.saturated:
        return Verdict("not comparable", found.saturated)
    if why := _fault_of_closed_form(row, found):
        return Verdict("fail", why)
    return equivalence.verdict(FromPublished(found.difference, found.half_width, tuple(found.over)), row.margin)


def _fault_of_closed_form(row: PublishedRow, found: Reproduced) -> str:
    """What a closed form says against the points, or against our own estimate of the same likelihood; empty if nothing.

    The difference from ours alone would not tell: whatever was measured, the closed form is of the same points.
    """
    if row.known is None:
        return ""
    if abs(found.published - row.known) > AGREE:
        return f"the closed form is {found.published:.6g}, and {row.known:.6g} of the points of this row: other points were measured"
    if found.around_modes is not None and abs(found.around_modes - row.known) > row.margin:
        return f"around the modes it is {found.around_modes:.6g}, which is not within {row.margin:g} of {row.known:.6g}"
    return ""


def cells(row: PublishedRow, found: Reproduced) -> tuple[str, ...]:
    """A row of the table, in the order of HEADINGS."""
    known = f"{number(found.published, found.half_width)} (closed form)" if found.closed_form else f"{row.value:.6g}"
    whole = "whole" if found.epochs == found.of_epochs else f"{found.epochs:,} of {found.of_epochs:,} epochs"
    said = verdict(row, found)
    return (
        found.row, found.metric, known, number(found.ours, found.half_width), f"{found.images:,}", _around_modes(found), f"{row.margin:g}",
        whole, f"{said.outcome}: {said.reason}",
    )  # fmt: skip


def _around_modes(found: Reproduced) -> str:
    if found.around_modes is None:
        return ""
    bound = "≤ " if found.around_modes_bound else ""
    others = "" if found.around_modes_images == found.images else f" ({found.around_modes_images:,} images)"
    return f"{bound}{number(found.around_modes, found.half_width)}{others}"


def markdown(rows: Mapping[str, PublishedRow], kept: Iterable[Reproduced]) -> str:
    """The table of a page.

    Args:
        rows: the published ones.
        kept: their numbers, of rows that are all published.
    """
    found = list(kept)
    table = results_block.table([HEADINGS, *(cells(rows[each.row], each) for each in found)])
    return f"{table}\n\n{_made_by(found)}" if found else table


def _made_by(kept: Iterable[Reproduced]) -> str:
    """Which commit measured each row: "Code of commit `d2f3c28`: vae and iwae_5; of `f17352c` with edits: vamp."."""
    by_code: dict[str, list[str]] = {}
    for each in kept:
        commit, _, edits = each.commit.partition(", ")
        code = f"`{commit[:SHOWN_OF_COMMIT]}` {edits}".strip() if COMMIT.fullmatch(commit) else "unknown"
        by_code.setdefault(code, []).append(each.row)
    return f"Code of commit {'; of '.join(f'{code}: {listed(names)}' for code, names in by_code.items())}."


def joined(
    kept: Sequence[Reproduced], new: Sequence[Reproduced], settings: Mapping[str, Mapping[str, Any]]
) -> tuple[list[Reproduced], list[str], list[str]]:
    """Add new rows to those that are kept. A shorter training never replaces a longer one of the same settings.

    Args:
        kept: the rows so far.
        new: the rows to add.
        settings: row -> its settings now, in the order of the table.

    Returns:
        The rows to keep, the names of new rows that are shorter than a kept one, and of kept rows that are dropped since their settings changed.
    """
    there = {each.row: each for each in kept if holds(settings.get(each.row), each.settings)}
    shorter = [each.row for each in new if each.row in there and there[each.row].epochs > each.epochs]
    there |= {each.row: each for each in new if each.row not in shorter}
    dropped = [each.row for each in kept if each.row not in there]
    return [there[name] for name in settings if name in there], shorter, dropped
