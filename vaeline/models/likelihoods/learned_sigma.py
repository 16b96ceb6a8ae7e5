"""A Gaussian decoder whose standard deviation, one for all pixels, is trained (sigma-VAE: Rybkin et al., 2021, eq. 4)."""

from math import log

import torch
from torch import Tensor, nn

from vaeline.models import gaussian
from vaeline.models.contracts import Context, Likelihood, Sigma
from vaeline.models.likelihoods._gaussian import LEAST_VARIANCE, require_density
from vaeline.models.output_range import OutputRange
from vaeline.study.parts import PartOptions


class Options(PartOptions):
    pass


def build(options: Options, context: Context) -> "LearnedSigma":
    """Build p(x|z) = N(mean, sigma^2 I) with a trained sigma.

    Raises:
        UserError: pixels are not dequantized, so that the density has no upper bound.
    """
    require_density(context, options.name)
    return LearnedSigma(OutputRange(context))


class LearnedSigma(Likelihood):
    kind: Sigma = "trained"

    def __init__(self, output_range: OutputRange) -> None:
        super().__init__()
        self.output_range = output_range
        self.log_sigma = nn.Parameter(torch.zeros(()))

    @property
    def sigma(self) -> Tensor:  # type: ignore[override]  # read-only: calibrate sets it
        return self.log_sigma.detach().exp()

    def mean(self, h: Tensor) -> Tensor:
        """The mean, inside the range of the data."""
        return self.output_range(h)

    def log_prob(self, x: Tensor, h: Tensor) -> Tensor:
        """Log-density of each image, (b, channel, height, width): nats, summed over pixels, (b,)."""
        return gaussian.log_prob(x, self.mean(h), 2 * self.log_sigma)

    def curvature(self, x: Tensor, h: Tensor) -> Tensor:
        """(slope of the mean / sigma)^2, the shape of h."""
        return (self.output_range.slope(h) / self.sigma).square()

    def sample(self, h: Tensor) -> Tensor:
        """Draw the mean with Gaussian noise."""
        return self.mean(h) + self.sigma * torch.randn_like(h)

    @torch.no_grad()
    def calibrate(self, mean_error: float) -> None:
        """Replace the trained sigma by the best for a mean squared error per pixel."""
        self.log_sigma.fill_(0.5 * log(max(mean_error, LEAST_VARIANCE)))
