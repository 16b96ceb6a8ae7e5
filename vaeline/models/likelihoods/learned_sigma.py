"""A Gaussian decoder whose standard deviation, one for all pixels, is trained (sigma-VAE: Rybkin et al., 2021, eq. 4)."""

import torch
from torch import Tensor, nn

from vaeline.models.contracts import Context, Sigma
from vaeline.models.likelihoods._gaussian import LEAST_VARIANCE, GaussianPixels, require_density
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


class LearnedSigma(GaussianPixels):
    kind: Sigma = "trained"

    def __init__(self, output_range: OutputRange) -> None:
        super().__init__(output_range)
        self.log_sigma = nn.Parameter(torch.zeros(()))

    @property
    def sigma(self) -> Tensor:
        return self.log_sigma.detach().exp()

    @sigma.setter
    def sigma(self, sigma: Tensor) -> None:
        self.log_sigma.detach().fill_(sigma.log().item())

    @property
    def log_var(self) -> Tensor:
        return 2 * self.log_sigma

    def calibrate(self, mean_error: float) -> None:
        """Replace the trained sigma by the root of the mean squared error per pixel."""
        self.sigma = torch.tensor(max(mean_error, LEAST_VARIANCE), dtype=torch.float64).sqrt()
