"""How many codes of a codebook are in use (van den Oord et al., 2017)."""

import torch
from torch import Tensor

from vaeline.metrics._entry import Metric

METRICS = [
    Metric(
        "codebook_perplexity",
        group="Latent space",
        meaning="vectors of the codebook in use",
        definition="Exponential of the entropy of the codes in use: how many are used as if equally often.",
    )
]


def codebook_perplexity(codes: Tensor, size: int) -> float:
    """The exponential of the entropy of the codes' frequencies: 1 if one is used alone, `size` if all are, equally often.

    Args:
        codes: indices, any shape.
        size: of the codebook.
    """
    counts = torch.bincount(codes.flatten().cpu(), minlength=size).double()
    frequency = counts / counts.sum()
    return float((-torch.special.xlogy(frequency, frequency).sum()).exp())
