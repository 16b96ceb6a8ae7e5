"""Folders called train, validation and test above the images."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vaeline.data.splits import SPLIT_WORDS, name_splits, seems_split, split_of
from vaeline.study.schema import Dataset
from vaeline.system.errors import UserError, some_of


def check_used(images: list[str], dataset: Dataset, folder: Path, table: bool) -> None:
    """Check that folders of splits are not taken for anything else.

    Folders that may be splits or classes are classes if `dataset.labels` lists the labels.

    Args:
        images: their names in `folder`.
        dataset: the method of the split, and the labels.
        folder: that contains them.
        table: whether a table has the labels, so that folders are no classes.

    Raises:
        UserError: they would be, or might be.
    """
    method = dataset.split.method
    if method == "column":
        return
    for depth, splits in _folders_of_splits(images).items():
        if not (depth == 0 and method == "folders"):
            remedy = "set dataset.split.method to folders to use them"
            if depth:
                parents = {name.split("/")[0] for name in images}
                inner = folder / min(parents) if depth == len(parents) == 1 else folder
                remedy = f"set dataset.source to a folder directly above them{f', {inner},' if inner != folder else ''} and dataset.split.method to folders"
            raise UserError(
                f"{folder} holds folders called {', '.join(splits)}, which seem to be splits; {remedy}, or rename them."
            )

    if isinstance(dataset.labels, str):
        _check_no_doubt(_by_depth(images), 1 if method == "folders" else 0, folder, table)


def _check_no_doubt(folders: dict[int, list[str]], top: int, folder: Path, table: bool) -> None:
    """Check that folders from a depth on do not seem to be splits by their names, and that no class seems to be one."""
    below = {depth: steps for depth, steps in folders.items() if depth >= top}
    classes = [] if table else next((steps for steps in below.values() if len(steps) > 1), [])
    several, alone = next(filter(name_splits, below.values()), []), list(filter(seems_split, classes))
    if not several and not alone:
        return
    which = "which may be splits" if several else f"of which {alone[0]} may be a split"
    remedy = "no splits, list the labels in dataset.labels" if table else "classes, set dataset.labels to [class]"
    raise UserError(
        f"{folder} holds folders called {some_of(several or classes)}, {which}; if so, arrange them as train, validation and test, "
        f"and set dataset.split.method to folders. If they are {remedy}."
    )


def _by_depth(images: list[str]) -> dict[int, list[str]]:
    """The names of folders, by their depth."""
    below: dict[int, set[str]] = {}
    for name in images:
        for depth, step in enumerate(name.split("/")[:-1]):
            below.setdefault(depth, set()).add(step)
    return {depth: sorted(steps) for depth, steps in sorted(below.items())}


def _folders_of_splits(images: list[str]) -> dict[int, list[str]]:
    """The names of folders that seem to be splits, by their depth; only depths with several splits."""
    splits = {depth: list(filter(seems_split, steps)) for depth, steps in _by_depth(images).items()}
    return {depth: steps for depth, steps in splits.items() if len({split_of(step) or step for step in steps}) > 1}


def check_agrees(images: list[str], column: str, cells: Sequence[str], where: str) -> None:
    """Check that a column of a table gives no image another split than its folder.

    Args:
        images: their names.
        column: the name of the column.
        cells: the split that it gives each image; words that name none are not compared.
        where: the name of the table's file.

    Raises:
        UserError: it does.
    """
    depths = list(_folders_of_splits(images))
    if not depths:
        return
    wrong = [
        (name, cell)
        for name, cell in zip(images, cells, strict=True)
        if _other_split(name.split("/")[:-1], depths, split_of(cell))
    ]
    if wrong:
        name, cell = wrong[0]
        raise UserError(
            f"{where} contradicts the folders of {len(wrong):,} of {len(images):,} images: its column {column!r} says {cell} of {name}. Correct the "
            "column or remove it, or move the images."
        )


def _other_split(steps: list[str], depths: list[int], given: str | None) -> bool:
    """Whether a folder of an image names another split than the one that is given."""
    named = {split_of(steps[depth]) for depth in depths if depth < len(steps)} - {None}
    return given is not None and bool(named - {given})


def check_classes_shared(classes: np.ndarray, splits: np.ndarray, folder: Path) -> None:
    """Check that each split has a class of the train split.

    Args:
        classes: of the images, as text, (n,).
        splits: of the images, (n,).
        folder: that contains them.

    Raises:
        UserError: one has none, so that its folders are probably no classes.
    """
    trained = set(classes[splits == "train"])
    for split in np.unique(splits):
        found = set(classes[splits == split])
        if trained and not found & trained:
            raise UserError(
                f"The folders in {split} and in train of {folder} have no class in common: {some_of(sorted(found))}, and {some_of(sorted(trained))}. "
                "Arrange them alike, with a folder for each class directly in each split."
            )


def splits_of(names: list[str], folder: Path) -> np.ndarray:
    """The split of each image: the folder at the top of its name.

    Raises:
        UserError: that folder is none of a split.
    """
    found = [split_of(name.split("/")[0]) if "/" in name else None for name in names]
    if None in found:
        raise UserError(
            f"dataset.split.method is folders, but {names[found.index(None)]} in {folder} is in no folder of a split; allowed are "
            f"{', '.join(SPLIT_WORDS)}. Move the image, or set dataset.split.method to random."
        )
    return np.array(found)
