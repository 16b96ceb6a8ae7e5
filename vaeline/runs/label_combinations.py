"""Combinations of labels that no training image has, although each of the labels occurs: a model was never shown one."""

from collections.abc import Iterable

import numpy as np

from vaeline.data.facts import MOST_NAMED, Facts
from vaeline.system.errors import some_of


def unseen(labels: np.ndarray, training: np.ndarray, facts: Facts, chosen: Iterable[str]) -> list[str]:
    """The combinations in which chosen labels occur in no training image: `digit=3 with even=yes`.

    The chosen labels are looked for all together, and each of them with every other label. All labels together would say
    nothing where there are many: hardly two images of CelebA have the same 40 attributes.

    Args:
        labels: of the images to draw, (n, columns).
        training: labels of the training split, (m, columns).
        facts: of the images.
        chosen: names of the labels that a person has set.
    """
    columns = sorted(facts.column(name) for name in chosen)
    others = [column for column in range(len(facts.label_names)) if column not in columns]
    groups = [columns] if len(columns) > 1 else []
    groups += [[column, other] for column in columns for other in others]
    return [
        " with ".join(
            f"{facts.label_names[c]}={facts.label_values[c][code]}" for c, code in zip(group, row, strict=True)
        )
        for group in groups
        for row in np.unique(labels[:, group], axis=0)
        if _never_together(training[:, group] == row)
    ]


def unseen_in_words(labels: np.ndarray, training: np.ndarray, facts: Facts, chosen: Iterable[str]) -> str:
    """The same as a sentence; empty if training images have all combinations."""
    found = unseen(labels, training, facts, chosen)
    if not found:
        return ""
    return f"No training image has {some_of(found, MOST_NAMED)}; a model has learned nothing about such a combination."


def _never_together(equal: np.ndarray) -> bool:
    """Whether each label of a row occurs, but no training image has them all; `equal` is (m, labels)."""
    return bool(equal.any(0).all() and not equal.all(1).any())
