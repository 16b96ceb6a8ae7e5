"""A Gaussian decoder of unit variance: squared error plus a constant."""

from vaeline.contracts import Context
from vaeline.gaussian import IsotropicGaussian, Squash
from vaeline.parts import PartOptions


class Options(PartOptions):
    pass


def build(options: Options, context: Context) -> IsotropicGaussian:
    """Build p(x|z) = N(mean, I)."""
    return IsotropicGaussian(Squash(context))
