"""Active units: the latent dimensions that depend on the image (Burda et al., 2016)."""

from math import nan

from torch import Tensor

LEAST_VARIANCE = 0.01


def active_units(variances: Tensor, least_variance: float = LEAST_VARIANCE) -> float:
    """How many dimensions have a posterior mean whose variance over images exceeds `least_variance`; NaN where one is not finite.

    Only the means enter: a dimension may cost any rate.

    Args:
        variances: of each dimension's posterior mean over images, (latent,).
        least_variance: in squared units of z.
    """
    return float((variances > least_variance).sum()) if variances.isfinite().all() else nan


def covariances(first: Tensor, second: Tensor) -> Tensor:
    """The covariance over images of two estimates of the same means, dimension by dimension.

    Where the two share no noise it is the variance of the means themselves, without bias.

    Args:
        first: (images, latent), at least 2 images.
        second: the same shape.

    Returns:
        (latent,), float64.
    """
    first, second = first.cpu().double(), second.cpu().double()
    return ((first - first.mean(0)) * (second - second.mean(0))).sum(0) / (len(first) - 1)
