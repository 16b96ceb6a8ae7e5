"""The negative evidence lower bound and its halves, distortion and rate (Kingma and Welling, 2014, eq. 3)."""

from math import sqrt
from typing import NamedTuple

from torch import Tensor

from vaeline.metrics._entry import Metric

METRICS = [
    Metric(
        "negative_elbo",
        group="Likelihood",
        meaning="negative evidence lower bound",
        definition="-log p(x|z) + KL(q(z|x) || p(z)), nats per image, z ~ q.",
        unit="nats",
        better="lower",
        standard_error="over images",
    ),
    Metric(
        "distortion",
        group="The models",
        meaning="reconstruction term of the bound",
        definition="-log p(x|z), nats per image, z ~ q.",
        unit="nats",
        standard_error="over images",
    ),
    Metric(
        "rate",
        group="The models",
        meaning="divergence of posterior from prior",
        definition="KL(q(z|x) || p(z)), nats per image.",
        unit="nats",
        standard_error="over images",
    ),
]


class Mean(NamedTuple):
    """A mean over images and its standard error, nats."""

    value: float
    standard_error: float


def mean_over_images(values: Tensor) -> Mean:
    """The mean of values, (images,), float64."""
    return Mean(values.mean().item(), values.std().item() / sqrt(len(values)))
