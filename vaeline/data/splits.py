"""Deal images to the train, validation and test splits."""

import re

import numpy as np

from vaeline.data.copies import keep_together
from vaeline.study import schema
from vaeline.system.errors import UserError

SPLITS = ("train", "validation", "test")
# What tables and folders call them, in any case.
SPLIT_WORDS = {"train": "train", "training": "train", "validation": "validation", "val": "validation", "valid": "validation"} | {
    "dev": "validation", "test": "test", "testing": "test",
}  # fmt: skip
FEWEST = 2  # images in a split; a single image has no variance


# What else may mean a split: such a folder or column is refused, because which split it means is a guess.
SEEMING = re.compile(
    r"(?:train|training|val|valid|validate|validation|dev|test|testing|eval|evaluation|holdout|hold-?out)"
    r"[ _-]?(?:images?|imgs?|sets?|data|split|\d+)?"
)


def seems_split(word: str) -> bool:
    """Whether a word names a split, or may be meant to."""
    return SEEMING.fullmatch(word.strip().lower()) is not None


def split_of(word: str) -> str | None:
    """The split that a word names; None if it names none."""
    return SPLIT_WORDS.get(word.strip().lower())


def deal(
    count: int,
    split: schema.Split,
    official: np.ndarray | None = None,
    limit: int | None = None,
    groups: np.ndarray | None = None,
    copies: np.ndarray | None = None,
) -> dict[str, np.ndarray]:
    """Deal images to splits. Each split is in a seeded random order, so that its first images are a fair sample of it.

    Args:
        count: of images.
        split: the method, its seed and its shares.
        official: the given split of each image, as text, (count,), or None.
        limit: the number of images to use, drawn at random; None for all.
        groups: the group of each image, (count,); the images of a group come into one split. None: no groups.
        copies: equal numbers for images with the same bytes, (count,), which come into one split unless their split is given or
            they belong to a group. None: every image is another.

    Returns:
        The rows of each split. No row is in two splits.

    Raises:
        UserError: there is no given split or no group, or a split comes out empty.
    """
    order = np.random.default_rng(split.seed).permutation(count)[:limit]
    copies = np.arange(count) if copies is None else copies
    if split.method != "random":
        splits = _given(order, split, official, copies)
    elif split.group is None:
        ends = np.cumsum([round(split.test * len(order)), round(split.validation * len(order))])
        splits = keep_together(dict(zip(("test", "validation", "train"), np.split(order, ends), strict=True)), copies)
    else:
        splits = _by_group(order, split, groups)
    for name in SPLITS:
        if len(splits[name]) < FEWEST:
            raise UserError(
                f"The {split.method} split of {len(order):,} images leaves {len(splits[name]) or 'none'} for {name}, which needs {FEWEST} at least; "
                f"{_remedy(split)}."
            )
    return {name: splits[name] for name in SPLITS}


def _given(
    order: np.ndarray, split: schema.Split, official: np.ndarray | None, copies: np.ndarray
) -> dict[str, np.ndarray]:
    """The splits that the data come with; a missing validation split is taken from train."""
    if official is None:
        raise UserError(
            f"dataset.split.method is {split.method!r}, but the data set has no split of its own; use 'random', or, for an image_folder, "
            "'folders' or 'column'."
        )
    splits = {name: order[official[order] == name] for name in SPLITS}
    if not len(splits["validation"]):
        validation = round(split.validation * len(splits["train"]))
        parts = {"train": splits["train"][validation:], "validation": splits["train"][:validation]}
        splits |= keep_together(parts, copies)
    return splits


def _by_group(order: np.ndarray, split: schema.Split, groups: np.ndarray | None) -> dict[str, np.ndarray]:
    """Deal whole groups, in a random order, until the test split and then the validation split are nearest to their shares."""
    if groups is None:
        raise UserError(
            f"dataset.split.group is {split.group!r}, but the data set has no groups; set it to null, or describe the images in a table."
        )
    _, group, sizes = np.unique(groups[order], return_inverse=True, return_counts=True)
    turn = np.random.default_rng([split.seed, 1]).permutation(
        len(sizes)
    )  # groups are as likely to be dealt first, large or small
    middle = np.empty(len(sizes))
    middle[turn] = np.cumsum(sizes[turn]) - sizes[turn] / 2
    ends = np.array([split.test, split.test + split.validation]) * len(order)
    dealt = np.searchsorted(ends, middle, side="right")[group]
    return {name: order[dealt == place] for place, name in enumerate(("test", "validation", "train"))}


def _remedy(split: schema.Split) -> str:
    if split.group is not None:
        return f"the groups of {split.group} are too few or too large; provide more of them, change the shares, or set group to null"
    return {
        "random": "provide more images or a larger share",
        "official": "set dataset.split.method to 'random'",
        "folders": "add images to its folder, or set dataset.split.method to 'random' and merge the folders",
        "column": f"name more rows {' or '.join(SPLITS)} in {split.column}, or set dataset.split.method to 'random'",
    }[split.method]
