"""What a table says of images: labels, and the split or the group of each image, as the keys of `dataset` ask for them."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from vaeline.data.columns import NO_YES, Column, is_missing, read_column, whole
from vaeline.data.groups import doubts, read_groups
from vaeline.data.labels import NONE, Labels, of_columns, unlabelled
from vaeline.data.splits import SPLIT_WORDS, name_splits, seems_flag, seems_split, split_of
from vaeline.data.tables import Table
from vaeline.study.schema import Dataset
from vaeline.system.errors import UserError, some_of

SPLIT_NAMES = {"split", "splits", "partition", "subset", "fold", "set", "dataset_split", "data_split"}
SHOWN = 3  # rows that are named in an error


@dataclass(frozen=True)
class Described:
    """What a table says of the images in its rows."""

    rows: np.ndarray  # of the table that are used, in order
    labels: Labels  # of these rows
    official: np.ndarray | None = None  # the split that a column gives them, as text
    groups: np.ndarray | None = None  # the group that a column gives them, as text
    notes: list[str] = field(default_factory=list)


def describe(table: Table, dataset: Dataset, where: str) -> Described:
    """Read the columns of a table.

    Args:
        table: one row for each image.
        dataset: which columns are labels, bins, the split, the group; and what to do about missing values.
        where: the file's name, for errors.

    Raises:
        UserError: a key of `dataset` names a column that does not exist or does not fit, or a value is missing.
    """
    _check_columns_exist(table, dataset, where)
    columns = _columns(table, dataset)
    none = dataset.labels == NONE or (dataset.labels == "all" and not columns)
    chosen = unlabelled(len(table.ids)) if none else of_columns(columns).choose(dataset.labels)
    _check_sound(columns, chosen, where)
    notes = [*table.notes, *_taken_for(columns, chosen, dataset), *_splits_left_out(columns, chosen, dataset, where)]
    rows, left_out = _used_rows(table, chosen, dataset, where)
    groups = read_groups(table, dataset.split.group, rows, where) if dataset.split.group else None
    return Described(
        rows,
        _without_gaps(Labels(chosen.names, chosen.values, chosen.codes[rows])),
        _splits(table, dataset, rows, where),
        groups,
        notes + left_out + _used_for_splits(dataset, groups),
    )


def _columns(table: Table, dataset: Dataset) -> list[Column]:
    """The columns that may be labels."""
    return [
        _unless_constant(
            read_column(name, table.column(name), dataset.bins.get(name), table.decimal_comma, table.lines), dataset
        )
        for name in _offered(table, dataset)
    ]


def _used_rows(table: Table, chosen: Labels, dataset: Dataset, where: str) -> tuple[np.ndarray, list[str]]:
    """The rows that are used, and a note on those that are left out because they lack a value.

    Raises:
        UserError: rows lack a value and may not be left out, or their values would vanish with them.
    """
    gaps = _missing(table, chosen, dataset)
    if not gaps or dataset.missing == "category":
        return np.arange(len(table.ids)), []
    rows = _without(gaps, table, dataset, where)
    _check_nothing_vanished(chosen, rows, gaps)
    left_out = len(table.ids) - len(rows)
    return rows, [
        f"Left out: {left_out:,} of {len(table.ids):,} images, which lack {', '.join(gaps)} (dataset.missing: drop)."
    ]


def _unless_constant(column: Column, dataset: Dataset) -> Column:
    """The column, which is no label if all images have the same value.

    An empty cell may mean another value. It is refused by itself, or becomes a category.
    """
    present = column.codes[column.codes >= 0]
    if column.reason or len(np.unique(present)) > 1 or (column.missing and dataset.missing != "drop"):
        return column
    value = column.values[present[0]]
    why = "so that there is nothing to learn."
    if column.missing:
        cells = (
            "empty cell is dropped; missing: category makes it"
            if column.missing == 1
            else "empty cells are dropped; missing: category makes them"
        )
        why = f"once its {column.missing:,} {cells} a value."
    return replace(column, reason=f"all images have the value {value}{' ' if column.missing else ', '}{why}")


def _check_sound(columns: list[Column], chosen: Labels, where: str) -> None:
    """Check that the values of all labels can be told apart.

    Raises:
        UserError: two values look the same.
    """
    if fault := next((column.fault for column in columns if column.name in chosen.names and column.fault), None):
        raise UserError(f"{where}: {fault}")


def _check_nothing_vanished(chosen: Labels, rows: np.ndarray, gaps: Iterable[str]) -> None:
    """Check that every value still has an image after those with gaps were left out.

    Raises:
        UserError: one has none.
    """
    lost = []
    for name, values, codes in zip(chosen.names, chosen.values, chosen.codes.T, strict=True):
        lost += [f"{name}={values[code]}" for code in np.setdiff1d(codes[codes >= 0], codes[rows])]
    if lost:
        raise UserError(
            f"Leaving out the images that lack {', '.join(gaps)} leaves no image of {some_of(lost)}; set dataset.missing to category, or list "
            "other columns in dataset.labels."
        )


def _taken_for(columns: list[Column], chosen: Labels, dataset: Dataset) -> list[str]:
    """What each column was taken for, and the remarks on its values."""
    notes = []
    for column in columns:
        used = column.name in chosen.names
        said = (column.with_missing() if used and dataset.missing == "category" else column).describe()
        notes += [said + ("" if used or column.reason else "; not used"), *column.remarks]
    return notes


def _check_columns_exist(table: Table, dataset: Dataset, where: str) -> None:
    asked = [("dataset.split.column", dataset.split.column), ("dataset.split.group", dataset.split.group)]
    for key, name in [*asked, *(("dataset.bins", name) for name in dataset.bins)]:
        if name is not None and name not in table.names:
            instead = {"column": "method: random and column: null", "group": "it to null", "bins": "other columns"}
            raise UserError(
                f"{key} names {name!r}, which is no column of {where}; there are: {', '.join(table.names)}. Correct it, or set "
                f"{instead[key.split('.')[-1]]}."
            )


def _offered(table: Table, dataset: Dataset) -> list[str]:
    """The columns that may be labels: not that of the split, and that of the group only if it is asked for."""
    asked = dataset.labels if isinstance(dataset.labels, list) else []
    group = None if dataset.split.group in asked else dataset.split.group
    return [name for name in table.names if name not in (dataset.split.column, group)]


def _splits_left_out(columns: list[Column], chosen: Labels, dataset: Dataset, where: str) -> list[str]:
    """A note for each column of splits that is not used.

    Raises:
        UserError: such a column would become a label.
    """
    notes = []
    for column in columns:
        says_so = name_splits(column.values) and all(map(seems_split, column.values))
        if not says_so and not _seems_split(column):
            continue
        if column.name in chosen.names and (says_so or not isinstance(dataset.labels, list)):
            write = "" if says_so else "write train, validation or test into its cells and "
            raise UserError(
                f"{where} has a column {column.name!r} with the values {', '.join(column.values[:6])}, which seems to be a split and not a label; "
                f"{write}set dataset.split to {{method: column, column: {column.name}}} to use it, or list the labels in dataset.labels to leave it "
                f"out{'' if says_so else ' or to have it as one'}."
            )
        if column.name not in chosen.names:
            notes.append(f"{column.name}: not used; dataset.split.method is {dataset.split.method}.")
    return notes


def _seems_split(column: Column) -> bool:
    """Whether a column seems to be of splits by its name, or by some of its values."""
    flag = column.values == NO_YES and seems_flag(column.name)
    return flag or column.name.lower() in SPLIT_NAMES or name_splits(column.values)


def _missing(table: Table, chosen: Labels, dataset: Dataset) -> dict[str, np.ndarray]:
    """The rows without a value, for each column in use that has such rows."""
    found = {name: np.flatnonzero(codes < 0) for name, codes in zip(chosen.names, chosen.codes.T, strict=True)}
    for name in (dataset.split.column, dataset.split.group):
        if name is not None and name not in found:
            found[name] = np.flatnonzero([is_missing(cell) for cell in table.column(name)])
    return {name: rows for name, rows in found.items() if len(rows)}


def _without(gaps: dict[str, np.ndarray], table: Table, dataset: Dataset, where: str) -> np.ndarray:
    if dataset.missing == "refuse":
        name, rows = next(iter(gaps.items()))
        shown = ", ".join(f"{table.ids[row]} in line {table.lines[row]}" for row in rows[:SHOWN])
        also = f"; so do {', '.join(list(gaps)[1:])}" if len(gaps) > 1 else ""
        raise UserError(
            f"{name} lacks a value in {len(rows):,} of {len(table.ids):,} rows of {where} ({shown}{', ...' if len(rows) > SHOWN else ''}){also}; "
            "correct them, list other columns in dataset.labels, or set dataset.missing to drop or category."
        )
    kept = np.setdiff1d(np.arange(len(table.ids)), np.concatenate(list(gaps.values())))
    if not len(kept):
        raise UserError(
            f"Every row of {where} lacks a value of {', '.join(gaps)}; list other columns in dataset.labels."
        )
    return kept


def _without_gaps(labels: Labels) -> Labels:
    """Labels with `missing` as a value where a value is missing."""
    if not labels.names:
        return labels
    pairs = [whole(values, codes) for values, codes in zip(labels.values, labels.codes.T, strict=True)]
    return Labels(labels.names, [values for values, _ in pairs], np.stack([codes for _, codes in pairs], axis=1))


def _splits(table: Table, dataset: Dataset, rows: np.ndarray, where: str) -> np.ndarray | None:
    if dataset.split.column is None:
        return None
    cells = table.column(dataset.split.column)
    found = [split_of(cells[row]) for row in rows]
    for row, split in zip(rows, found, strict=True):
        if split is None:
            raise UserError(
                f"{where}, line {table.lines[row]}: {dataset.split.column} is {cells[row]!r}; allowed are {', '.join(SPLIT_WORDS)}."
            )
    return np.array(found)


def _used_for_splits(dataset: Dataset, groups: np.ndarray | None) -> list[str]:
    notes = [f"{dataset.split.column}: the split of each image."] if dataset.split.column else []
    if groups is not None:
        sizes = np.unique(groups, return_counts=True)[1]
        notes.append(
            f"{dataset.split.group}: {len(sizes):,} groups of at most {sizes.max():,} images; all images of a group are in one split."
        )
        notes += doubts(groups, str(dataset.split.group))
    return notes
