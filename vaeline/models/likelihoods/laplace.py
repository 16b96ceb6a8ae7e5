"""A Laplace decoder: absolute error over a scale, plus a constant. Latent diffusion reconstructs so (Rombach et al., 2022)."""

from math import sqrt

import torch
from pydantic import Field
from torch import Tensor

from vaeline.models.contracts import Context, Likelihood, Sigma
from vaeline.models.likelihoods._gaussian import LEAST_VARIANCE
from vaeline.models.output_range import OutputRange
from vaeline.study.parts import PartOptions

SIGMA_OF_SCALE = sqrt(2)  # the standard deviation of a Laplace density of scale 1


class Options(PartOptions):
    scale: float = Field(
        1.0, gt=0, le=1000, description="b of exp(-|x - mean| / b), in units of dataset.range; sigma is 1.41 times this"
    )


def build(options: Options, context: Context) -> "Laplace":
    """Build p(x|z) = prod_i Laplace(x_i; mean_i, scale)."""
    return Laplace(OutputRange(context), options.scale)


class Laplace(Likelihood):
    kind: Sigma = "constant"
    sigma: Tensor

    def __init__(self, output_range: OutputRange, scale: float) -> None:
        super().__init__()
        self.output_range = output_range
        self.register_buffer("sigma", torch.tensor(SIGMA_OF_SCALE * scale))

    def mean(self, h: Tensor) -> Tensor:
        """The mean, which is the median too, inside the range of the data."""
        return self.output_range(h)

    def log_prob(self, x: Tensor, h: Tensor) -> Tensor:
        """Log-density of each image, (b, channel, height, width): nats, summed over pixels, (b,)."""
        scale = self.sigma / SIGMA_OF_SCALE
        return -((x - self.mean(h)).abs() / scale + (2 * scale).log()).flatten(1).sum(1)

    def curvature(self, x: Tensor, h: Tensor) -> Tensor:
        """(slope of the mean / scale)^2, the shape of h."""
        return (SIGMA_OF_SCALE * self.output_range.slope(h) / self.sigma).square()

    def sample(self, h: Tensor) -> Tensor:
        """Draw the mean with the noise of a Laplace density."""
        sign = torch.randint_like(h, 2) * 2 - 1
        return self.mean(h) + sign * torch.empty_like(h).exponential_() * self.sigma / SIGMA_OF_SCALE

    def error(self, difference: Tensor) -> Tensor:
        """The absolute difference: its mean is the best scale."""
        return difference.abs()

    def calibrate(self, mean_error: float) -> None:
        """Set the scale to the mean absolute error per pixel."""
        self.sigma.fill_(SIGMA_OF_SCALE * max(mean_error, LEAST_VARIANCE**0.5))
