"""Exact copies of an image: files or pixels with the same bytes under different names."""

from collections import Counter
from hashlib import sha256

import numpy as np

from vaeline.data.labels import Labels
from vaeline.system.errors import UserError, some_of

SHOWN = 3  # pairs in a sentence


def of_arrays(images: np.ndarray) -> np.ndarray:
    """For each image, (n, ...), the row of the first one with the same pixels, (n,)."""
    first = dict[bytes, int]()
    return np.array([first.setdefault(sha256(image.tobytes()).digest(), row) for row, image in enumerate(images)])


def check_agree(
    names: list[str],
    copies: np.ndarray,
    annotations: dict[str, np.ndarray],
    folder: str,
) -> None:
    """Check that all copies of an image have the same annotations.

    Args:
        names: of the images, (n,).
        copies: equal numbers for images with the same bytes, (n,).
        annotations: of each image: its labels, its split, its group, (n,) each.
        folder: of the images, for errors.

    Raises:
        UserError: they do not.
    """
    _, first, place = np.unique(copies, return_index=True, return_inverse=True)
    for what, values in annotations.items():
        wrong = np.flatnonzero(values != values[first][place])
        if len(wrong):
            pairs = [
                f"{names[first[place[row]]]} ({values[first[place[row]]]}) and {names[row]} ({values[row]})"
                for row in wrong
            ]
            raise UserError(
                f"{folder} holds exact copies of one image that differ in {what}: {some_of(pairs, SHOWN)}. Remove one of each pair, or make their "
                "values equal."
            )


def annotations_of(labels: Labels, official: np.ndarray | None, groups: np.ndarray | None) -> dict[str, np.ndarray]:
    """Labels, split and group, which must be the same for all copies of an image."""
    found = {
        name: np.array(values)[codes]
        for name, values, codes in zip(labels.names, labels.values, labels.codes.T, strict=True)
    }
    given = {"their split": official, "their group": groups}
    return found | {what: values for what, values in given.items() if values is not None}


def note(names: list[str], copies: np.ndarray) -> list[str]:
    """A sentence on images that are there several times; none if there are none."""
    often = Counter(copies.tolist())
    if not (more := len(copies) - len(often)):
        return []
    first = next(number for number, count in often.items() if count > 1)
    one, other = (names[row] for row in np.flatnonzero(copies == first)[:2])
    return [
        f"{more:,} of {len(copies):,} images {'is an exact copy' if more == 1 else 'are exact copies'} of another one, such as {one} and {other}."
    ]
