"""A Gaussian decoder with the best variance for the data, one for all pixels (sigma-VAE: Rybkin et al., 2021, eq. 6).

In training the variance is the mean squared error of the batch. In evaluation it is a buffer, which `calibrate` fits to
the training split, so that the density of an image does not depend on the other images of its batch.
"""

from torch import Tensor

from vaeline.models import gaussian
from vaeline.models.contracts import Context
from vaeline.models.likelihoods._gaussian import LEAST_VARIANCE, IsotropicGaussian, require_density
from vaeline.models.output_range import OutputRange
from vaeline.study.parts import PartOptions
from vaeline.system import ranks


class Options(PartOptions):
    pass


def build(options: Options, context: Context) -> "OptimalSigma":
    """Build p(x|z) = N(mean, sigma^2 I) with the optimal sigma.

    Raises:
        UserError: pixels are not dequantized, so that the density has no upper bound.
    """
    require_density(context, options.name)
    return OptimalSigma(OutputRange(context), "calibrated")


class OptimalSigma(IsotropicGaussian):
    def log_prob(self, x: Tensor, h: Tensor) -> Tensor:
        """Log-density of each image, (b, channel, height, width): nats, summed over pixels, (b,)."""
        if not self.training:
            return super().log_prob(x, h)
        mean = self.mean(h)
        variance = ranks.mean((x - mean).square()).clamp_min(LEAST_VARIANCE)
        return gaussian.log_prob(x, mean, variance.log())
