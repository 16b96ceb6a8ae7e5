"""Folders called train, validation and test above the images."""

from pathlib import Path

import numpy as np

from vaeline.data.splits import SPLIT_WORDS, seems_split, split_of
from vaeline.system.errors import UserError


def check_used(images: list[str], method: str, folder: Path) -> None:
    """Check that folders of splits are not taken for anything else.

    Args:
        images: their names in `folder`.
        method: of the split.
        folder: that contains them.

    Raises:
        UserError: they would be.
    """
    if method == "column":
        return
    below: dict[int, set[str]] = {}
    for name in images:
        for depth, step in enumerate(name.split("/")[:-1]):
            below.setdefault(depth, set()).add(step)
    for depth, steps in sorted(below.items()):
        splits = sorted(step for step in steps if seems_split(step))
        if len({split_of(step) or step for step in splits}) > 1 and not (depth == 0 and method == "folders"):
            remedy = "set dataset.split.method to folders to use them"
            if depth:
                parents = {name.split("/")[0] for name in images}
                inner = folder / min(parents) if depth == len(parents) == 1 else folder
                remedy = f"set dataset.source to a folder directly above them{f', {inner},' if inner != folder else ''} and dataset.split.method to folders"
            raise UserError(
                f"{folder} holds folders called {', '.join(splits)}, which seem to be splits; {remedy}, or rename them."
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
