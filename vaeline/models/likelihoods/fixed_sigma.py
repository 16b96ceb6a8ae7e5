"""A Gaussian decoder whose standard deviation is set in the study: it weighs the distortion against the rate."""

from pydantic import Field

from vaeline.models.contracts import Context
from vaeline.models.likelihoods._gaussian import IsotropicGaussian
from vaeline.models.output_range import OutputRange
from vaeline.study.parts import PartOptions


class Options(PartOptions):
    sigma: float = Field(0.5, gt=0, le=1000, description="standard deviation of a pixel, in units of dataset.range")


def build(options: Options, context: Context) -> IsotropicGaussian:
    """Build p(x|z) = N(mean, sigma^2 I)."""
    return IsotropicGaussian(OutputRange(context), sigma=options.sigma)
