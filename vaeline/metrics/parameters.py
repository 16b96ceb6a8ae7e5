"""How many trained numbers a model has."""

from collections.abc import Iterable

from torch import Tensor

from vaeline.metrics._entry import Metric

METRICS = [
    Metric(
        "parameters",
        group="The models",
        meaning="trained numbers",
        definition="Trained numbers of the model.",
    )
]


def count_parameters(weights: Iterable[Tensor]) -> int:
    """The numbers in all weights of a model."""
    return sum(each.numel() for each in weights)
