"""A Gaussian decoder of unit variance: squared error plus a constant."""

from vaeline.contracts import Context
from vaeline.likelihoods._gaussian import IsotropicGaussian
from vaeline.parts import PartOptions
from vaeline.squash import Squash


class Options(PartOptions):
    pass


def build(options: Options, context: Context) -> IsotropicGaussian:
    """Build p(x|z) = N(mean, I)."""
    return IsotropicGaussian(Squash(context))
