"""A Gaussian decoder whose one standard deviation is a weight among others (sigma-VAE: Rybkin et al., 2021, eq. 4)."""

from math import log

import torch
from torch import Tensor, nn

from vaeline.models import gaussian
from vaeline.models.contracts import Context, Sigma
from vaeline.models.likelihoods._gaussian import LEAST_VARIANCE, require_density
from vaeline.models.output_range import OutputRange
from vaeline.study.parts import PartOptions


class Options(PartOptions):
    pass


def build(options: Options, context: Context) -> "LearnedSigma":
    """Build p(x|z) = N(mean, sigma^2 I) with sigma trained along.

    Raises:
        UserError: pixels are whole levels, of which a density that may shrink has no bound.
    """
    require_density(context, options.name)
    return LearnedSigma(OutputRange(context))


class LearnedSigma(nn.Module):
    kind: Sigma = "trained"

    def __init__(self, squash: OutputRange) -> None:
        super().__init__()
        self.mean = squash
        self.log_sigma = nn.Parameter(torch.zeros(()))

    @property
    def sigma(self) -> Tensor:
        return self.log_sigma.detach().exp()

    def log_prob(self, x: Tensor, h: Tensor) -> Tensor:
        """Log-density of each image, (b, channel, height, width): nats, summed over pixels, (b,)."""
        return gaussian.log_prob(x, self.mean(h), 2 * self.log_sigma)

    @torch.no_grad()
    def calibrate(self, mean_squared_error: float) -> None:
        """Put the sigma that is best for the training split in the place of the one that was learned."""
        self.log_sigma.fill_(0.5 * log(max(mean_squared_error, LEAST_VARIANCE)))
