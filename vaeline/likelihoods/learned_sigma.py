"""A Gaussian decoder whose one standard deviation is a weight among others (sigma-VAE: Rybkin et al., 2021, eq. 4)."""

import torch
from torch import Tensor, nn

from vaeline import gaussian
from vaeline.contracts import Context
from vaeline.gaussian import require_density
from vaeline.parts import PartOptions


class Options(PartOptions):
    pass


def build(options: Options, context: Context) -> "LearnedSigma":
    """Build p(x|z) = N(mean, sigma^2 I) with sigma trained along.

    Raises:
        UserError: pixels are whole levels, of which a density that may shrink has no bound.
    """
    require_density(context, options.name)
    return LearnedSigma()


class LearnedSigma(nn.Module):
    fixed = False

    def __init__(self) -> None:
        super().__init__()
        self.log_sigma = nn.Parameter(torch.zeros(()))

    @property
    def sigma(self) -> Tensor:
        return self.log_sigma.detach().exp()

    def log_prob(self, x: Tensor, mean: Tensor) -> Tensor:
        """Log-density of each image, (b, channel, height, width): nats, summed over pixels, (b,)."""
        return gaussian.log_prob(x, mean, 2 * self.log_sigma)

    def calibrate(self, mean_squared_error: float) -> None:
        """Keep the sigma that was learned."""
