"""The share of a codebook that no image uses."""

import torch
from torch import Tensor

from vaeline.metrics._entry import Metric

METRICS = [
    Metric(
        "dead_codes",
        group="Latent space",
        meaning="codes that no image uses",
        definition="Share of the codebook that is the code of no place of any image.",
    )
]


def dead_codes(codes: Tensor, size: int) -> float:
    """The share of the codebook that does not occur.

    Args:
        codes: indices, any shape.
        size: of the codebook.
    """
    return 1 - len(torch.unique(codes)) / size
