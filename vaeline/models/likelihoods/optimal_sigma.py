"""A Gaussian decoder whose one variance is the best for the data (sigma-VAE: Rybkin et al., 2021, eq. 6).

In training the variance is the mean squared error of the batch. In evaluation it is a buffer, fitted to the training
split by `calibrate`, so that an image's density never depends on the images beside it.
"""

from torch import Tensor

from vaeline.models import gaussian
from vaeline.models.contracts import Context
from vaeline.models.likelihoods._gaussian import LEAST_VARIANCE, IsotropicGaussian, require_density
from vaeline.models.output_range import OutputRange
from vaeline.study.parts import PartOptions


class Options(PartOptions):
    pass


def build(options: Options, context: Context) -> "OptimalSigma":
    """Build p(x|z) = N(mean, sigma^2 I) with the optimal sigma.

    Raises:
        UserError: pixels are whole levels, of which a density that may shrink has no bound.
    """
    require_density(context, options.name)
    return OptimalSigma(OutputRange(context), "calibrated")


class OptimalSigma(IsotropicGaussian):
    def log_prob(self, x: Tensor, h: Tensor) -> Tensor:
        """Log-density of each image, (b, channel, height, width): nats, summed over pixels, (b,)."""
        if not self.training:
            return super().log_prob(x, h)
        mean = self.mean(h)
        variance = (x - mean).square().mean().clamp_min(LEAST_VARIANCE)
        return gaussian.log_prob(x, mean, variance.log())
