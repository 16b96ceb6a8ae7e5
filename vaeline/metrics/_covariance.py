"""The covariance over images of two estimates of the same means."""

from torch import Tensor


def covariances(first: Tensor, second: Tensor) -> Tensor:
    """The covariance in each dimension; if the two share no noise, it is the variance of the means, without bias.

    Args:
        first: (images, latent), at least 2 images.
        second: the same shape.

    Returns:
        (latent,), float64.
    """
    first, second = first.cpu().double(), second.cpu().double()
    return ((first - first.mean(0)) * (second - second.mean(0))).sum(0) / (len(first) - 1)
