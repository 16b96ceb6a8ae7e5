"""A Gaussian decoder whose standard deviation is chosen beforehand: it weighs the distortion against the rate."""

from pydantic import Field

from vaeline.contracts import Context
from vaeline.likelihoods._gaussian import IsotropicGaussian
from vaeline.parts import PartOptions
from vaeline.squash import Squash


class Options(PartOptions):
    sigma: float = Field(0.5, gt=0, le=1000, description="standard deviation of a pixel, in units of dataset.range")


def build(options: Options, context: Context) -> IsotropicGaussian:
    """Build p(x|z) = N(mean, sigma^2 I)."""
    return IsotropicGaussian(Squash(context), sigma=options.sigma)
