"""Active units: the latent dimensions that depend on the image (Burda et al., 2016)."""

from math import nan

from torch import Tensor

from vaeline.metrics._entry import Metric

METRICS = [
    Metric(
        "active_units",
        group="Latent space",
        meaning="latent dimensions in use",
        definition="Dimensions of z whose posterior mean varies by more than 0.01.",
    )
]

LEAST_VARIANCE = 0.01


def active_units(variances: Tensor, least_variance: float = LEAST_VARIANCE) -> float:
    """How many dimensions have a posterior mean whose variance over images exceeds `least_variance`; NaN where one is not finite.

    Only the means enter: a dimension may cost any rate.

    Args:
        variances: of each dimension's posterior mean over images, (latent,).
        least_variance: in squared units of z.
    """
    return float((variances > least_variance).sum()) if variances.isfinite().all() else nan
