"""Active units: the latent dimensions that depend on the image (Burda et al., 2016)."""

from torch import Tensor

LEAST_VARIANCE = 0.01


def active_units(mean: Tensor, least_variance: float = LEAST_VARIANCE) -> int:
    """How many dimensions have a posterior mean whose variance over images exceeds `least_variance`.

    Only the means enter: a dimension may cost any rate.

    Args:
        mean: of each image's posterior, (images, latent), at least 2 images.
        least_variance: in squared units of z.
    """
    return int((mean.cpu().double().var(0) > least_variance).sum())
