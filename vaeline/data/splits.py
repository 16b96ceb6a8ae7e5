"""Deal images to the train, validation and test splits."""

import numpy as np

from vaeline.study import schema
from vaeline.system.errors import UserError

SPLITS = ("train", "validation", "test")
FEWEST = 2  # images in a split; a single image has no variance


def deal(
    count: int, split: schema.Split, official: np.ndarray | None = None, limit: int | None = None
) -> dict[str, np.ndarray]:
    """Deal images to splits. Each split is in a seeded random order, so that its first images are a fair sample of it.

    Args:
        count: of images.
        split: the method, its seed and its shares.
        official: the official split of each image, as text, (count,), or None.
        limit: the number of images to use, drawn at random; None for all.

    Returns:
        The rows of each split. No row is in two splits.

    Raises:
        UserError: there is no official split, or a split comes out empty.
    """
    order = np.random.default_rng(split.seed).permutation(count)[:limit]
    if split.method == "random":
        ends = np.cumsum([round(split.test * len(order)), round(split.validation * len(order))])
        splits = dict(zip(("test", "validation", "train"), np.split(order, ends), strict=True))
    elif official is None:
        raise UserError("dataset.split.method is 'official', but the data set has no split of its own; use 'random'.")
    else:
        splits = {name: order[official[order] == name] for name in SPLITS}
        if not len(splits["validation"]):
            validation = round(split.validation * len(splits["train"]))
            splits |= {"train": splits["train"][validation:], "validation": splits["train"][:validation]}
    for name in SPLITS:
        if len(splits[name]) < FEWEST:
            remedy = {
                "random": "provide more images or a larger share",
                "official": "set dataset.split.method to 'random'",
            }
            raise UserError(
                f"The {split.method} split of {len(order):,} images leaves {len(splits[name]) or 'none'} for {name}, which needs {FEWEST} at least; "
                f"{remedy[split.method]}."
            )
    return {name: splits[name] for name in SPLITS}
