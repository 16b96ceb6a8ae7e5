"""The rate of each level of a hierarchy; levels above the lowest often stay unused (LVAE: Sønderby et al., 2016)."""

from collections.abc import Sequence

from torch import Tensor

from vaeline.metrics._entry import Metric

METRICS = [
    Metric(
        "upper_rate",
        group="Latent space",
        meaning="rate of a ladder's upper levels",
        definition="KL(q(z|x) || p(z)) of all levels of a ladder but the one nearest the image, nats per image.",
        unit="nats",
    )
]


def rates_of_levels(rates: Tensor, sizes: Sequence[int]) -> list[float]:
    """The rate of each level, the lowest first, from those of its dimensions.

    Args:
        rates: of each dimension of z, nats, (latent,).
        sizes: dimensions of each level, the lowest first; their sum is latent.
    """
    return [float(level.sum()) for level in rates.split(list(sizes))]


def upper_rate(by_level: Sequence[float]) -> float:
    """The rate of the levels above the lowest, nats; near 0 if one level does all the work."""
    return sum(by_level[1:])
