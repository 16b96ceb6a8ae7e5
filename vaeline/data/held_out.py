"""Combinations of labels that are kept out of training, to be asked for afterwards."""

from collections.abc import Mapping

import numpy as np

from vaeline.data.facts import Facts
from vaeline.data.splits import FEWEST
from vaeline.system.errors import UserError


def hold_out(dealt: Mapping[str, np.ndarray], codes: np.ndarray, facts: Facts, seed: int) -> dict[str, np.ndarray]:
    """Move the images of held-out combinations from the other splits to the test split.

    Args:
        dealt: the rows of each split.
        codes: the labels of all images, (images, columns).
        facts: of the images, with the combinations.
        seed: of the order of the test split.

    Returns:
        The rows of each split, the test split in a new random order if there are combinations.

    Raises:
        UserError: no image has a combination, a label or a value does not exist, or a split comes out empty.
    """
    if not facts.held_out:
        return dict(dealt)
    held = np.zeros(len(codes), bool)
    for words, combination in facts.held_out_codes.items():
        rows = has(codes, combination)
        if not rows.any():
            raise UserError(
                f"dataset.split.held_out names {words}, which no image has; take a combination that occurs, or remove it."
            )
        held |= rows
    found = {name: rows[~held[rows]] if name != "test" else rows for name, rows in dealt.items()}
    for name, rows in found.items():
        if len(rows) < FEWEST:
            raise UserError(
                f"dataset.split.held_out leaves {len(rows)} images for {name}, which needs {FEWEST} at least; hold out fewer combinations."
            )
    moved = [rows[held[rows]] for name, rows in dealt.items() if name != "test"]
    found["test"] = np.random.default_rng([seed, 2]).permutation(np.concatenate([found["test"], *moved]))
    return found


def has(codes: np.ndarray, combination: Mapping[int, int]) -> np.ndarray:
    """Which rows of labels, (n, columns), have a combination, column -> value: bool, (n,)."""
    return np.all([codes[:, column] == value for column, value in combination.items()], axis=0)
