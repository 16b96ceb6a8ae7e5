"""What the Gaussian likelihoods share."""

import torch
from torch import Tensor, nn

from vaeline.models import gaussian
from vaeline.models.contracts import Context, Sigma
from vaeline.models.output_range import OutputRange
from vaeline.system.errors import UserError

LEAST_VARIANCE = 1e-8  # a perfect reconstruction would otherwise have an unbounded density


def require_density(context: Context, likelihood: str) -> None:
    """Refuse a likelihood whose variance may shrink for pixels that are whole levels: their density has no bound.

    Raises:
        UserError: says which pixels have a density.
    """
    if context.pixels not in ("dequantized", "points"):
        raise UserError(
            f"likelihood {likelihood} fits its variance, under which a density of {context.pixels} pixels has no bound; set "
            "dataset.pixels to dequantized, or take likelihood fixed_sigma or bernoulli."
        )


class IsotropicGaussian(nn.Module):
    """p(x|z) = N(mean, sigma^2 I), sigma a saved buffer.

    Args:
        squash: brings the decoder's output into the data's range.
        kind: where sigma comes from.
        sigma: standard deviation of a pixel, to begin with.
    """

    sigma: Tensor

    def __init__(self, squash: OutputRange, kind: Sigma = "constant", sigma: float = 1.0) -> None:
        super().__init__()
        self.mean = squash
        self.kind = kind
        self.register_buffer("sigma", torch.tensor(sigma))

    def log_prob(self, x: Tensor, h: Tensor) -> Tensor:
        """Log-density of each image, (b, channel, height, width): nats, summed over pixels, (b,)."""
        return gaussian.log_prob(x, self.mean(h), 2 * self.sigma.log())

    def calibrate(self, mean_squared_error: float) -> None:
        """Set sigma from the mean squared error, for each pixel, of the training split under the posterior."""
        self.sigma.fill_(max(mean_squared_error, LEAST_VARIANCE) ** 0.5)
