"""How well samples show combinations of labels that never occur together in training."""

from collections.abc import Mapping

import numpy as np

from vaeline.metrics._entry import Metric, Reference

METRICS = [
    Metric(
        "held_out_accuracy",
        group="Conditions",
        meaning="combinations of labels that training lacks, recognised in samples",
        definition="Share of the samples asked for a held-out combination of labels in which the classifier sees all of its values, mean over "
        "combinations.",
        better="higher",
        references=(
            Reference(
                "held_out_accuracy_ceiling",
                "The same share of real test images that have a held-out combination.",
                past="better than real images",
            ),
        ),
        data=("images",),
        needs_labels=True,
        setting="held_out",
    )
]


def held_out_accuracy(
    predicted: np.ndarray, requested: np.ndarray, combinations: Mapping[str, Mapping[int, int]]
) -> dict[str, float]:
    """The share of images that show each combination, among those that it is asked of.

    Args:
        predicted: values seen by the classifier, (images, columns).
        requested: values asked for, the same shape.
        combinations: name -> column -> value.

    Returns:
        The share by name, 0 to 1, for the combinations that are asked for.
    """
    found = {}
    for name, combination in combinations.items():
        columns, values = list(combination), list(combination.values())
        asked = (requested[:, columns] == values).all(1)
        if asked.any():
            found[name] = float((predicted[asked][:, columns] == values).all(1).mean())
    return found
