"""A Gaussian decoder of unit variance: squared error plus a constant."""

from vaeline.models.contracts import Context
from vaeline.models.likelihoods._gaussian import IsotropicGaussian
from vaeline.models.output_range import OutputRange
from vaeline.study.parts import PartOptions


class Options(PartOptions):
    pass


def build(options: Options, context: Context) -> IsotropicGaussian:
    """Build p(x|z) = N(mean, I)."""
    return IsotropicGaussian(OutputRange(context))
