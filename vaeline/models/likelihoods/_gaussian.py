"""What the Gaussian likelihoods share."""

from abc import abstractmethod

import torch
from torch import Tensor

from vaeline.models import gaussian
from vaeline.models.contracts import Context, Likelihood, Sigma
from vaeline.models.output_range import OutputRange
from vaeline.system.errors import UserError

LEAST_VARIANCE = 1e-8  # the density of a perfect reconstruction would otherwise be unbounded


def require_density(context: Context, likelihood: str) -> None:
    """Refuse a likelihood that fits its variance to pixels that are whole levels: the density has no upper bound.

    Raises:
        UserError: pixels are not dequantized.
    """
    if context.pixels not in ("dequantized", "points"):
        raise UserError(
            f"likelihood {likelihood} fits its variance, and the density of {context.pixels} pixels then has no upper bound; set "
            "dataset.pixels to dequantized, or take likelihood fixed_sigma or bernoulli."
        )


class GaussianPixels(Likelihood):
    """p(x|z) = N(mean, sigma^2 I), however a class keeps sigma.

    Args:
        output_range: maps the decoder's output into the range of the data.
    """

    sigma: Tensor

    def __init__(self, output_range: OutputRange) -> None:
        super().__init__()
        self.output_range = output_range

    @property
    @abstractmethod
    def log_var(self) -> Tensor:
        """2 log sigma, with a gradient if sigma is a weight."""

    def mean(self, h: Tensor) -> Tensor:
        """The mean, inside the range of the data."""
        return self.output_range(h)

    def log_prob(self, x: Tensor, h: Tensor) -> Tensor:
        """Log-density of each image, (b, channel, height, width): nats, summed over pixels, (b,)."""
        return gaussian.log_prob(x, self.mean(h), self.log_var)

    def curvature(self, x: Tensor, h: Tensor) -> Tensor:
        """(slope of the mean / sigma)^2, the shape of h."""
        return (self.output_range.slope(h) / self.sigma).square()

    def sample(self, h: Tensor) -> Tensor:
        """Draw the mean with Gaussian noise."""
        return self.mean(h) + self.sigma * torch.randn_like(h)


class IsotropicGaussian(GaussianPixels):
    """Sigma is a saved buffer.

    Args:
        output_range: maps the decoder's output into the range of the data.
        kind: how sigma is determined.
        sigma: initial standard deviation of a pixel.
    """

    def __init__(self, output_range: OutputRange, kind: Sigma = "constant", sigma: float = 1.0) -> None:
        super().__init__(output_range)
        self.kind = kind
        self.register_buffer("sigma", torch.tensor(sigma))

    @property
    def log_var(self) -> Tensor:
        return 2 * self.sigma.log()

    def calibrate(self, mean_error: float) -> None:
        """Set sigma to the root of the mean squared error per pixel."""
        self.sigma.fill_(max(mean_error, LEAST_VARIANCE) ** 0.5)
