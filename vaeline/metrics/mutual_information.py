"""The mutual information of images and latents under the posterior (Hoffman and Johnson, 2016)."""

from math import log, sqrt
from typing import NamedTuple

from torch import Tensor

from vaeline.metrics._entry import Metric

METRICS = [
    Metric(
        "mutual_information",
        group="Latent space",
        meaning="information of latents about images",
        definition="I(x;z) under q: mean of log q(z|x) - log q_agg(z), nats; at most log of the images.",
        unit="nats",
        standard_error="over its samples",
    )
]


class MutualInformation(NamedTuple):
    """I(x;z) of the N images of the aggregate posterior and their latents, in nats."""

    mutual_information: float
    standard_error: float  # over the samples
    log_images: float  # log N, which I(x;z) cannot exceed
    saturated: bool  # I > log N - 1: posteriors hardly overlap, and the aggregate says nothing of pockets between them


def mutual_information(log_q: Tensor, aggregate_log_q: Tensor, images: int) -> MutualInformation:
    """Average log q(z|x_n) - log q(z) over n and over z ~ q(z|x_n).

    Args:
        log_q: log q(z|x_n) of z under the posterior that it was drawn from, (n,), float64.
        aggregate_log_q: log q(z) of the same z, (n,), float64.
        images: N, the posteriors in the aggregate.
    """
    gained = log_q - aggregate_log_q
    mean, bound = gained.mean().item(), log(images)
    return MutualInformation(mean, gained.std().item() / sqrt(len(gained)), bound, mean > bound - 1)
