"""A Gaussian decoder of unit variance: squared error plus a constant."""

import torch
from torch import Tensor, nn

from vaeline import gaussian
from vaeline.contracts import Context
from vaeline.parts import PartOptions


class Options(PartOptions):
    pass


def build(options: Options, context: Context) -> nn.Module:
    """Build p(x|z) = N(mean, I)."""
    return UnitGaussian()


class UnitGaussian(nn.Module):
    fixed = True
    sigma: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("sigma", torch.ones(()))

    def log_prob(self, x: Tensor, mean: Tensor) -> Tensor:
        """Log-density of each image, (b, channel, height, width): nats, summed over pixels, (b,)."""
        return gaussian.log_prob(x, mean.float(), self.sigma.square().log())
