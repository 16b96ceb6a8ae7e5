"""A Gaussian decoder whose one variance is the best for the data (sigma-VAE: Rybkin et al., 2021, eq. 6).

In training the variance is the mean squared error of the batch. In evaluation it is a buffer, fitted to the training
split by `calibrate`, so that an image's density never depends on the images beside it.
"""

import torch
from torch import Tensor, nn

from vaeline import gaussian
from vaeline.contracts import Context
from vaeline.parts import PartOptions

LEAST_VARIANCE = 1e-8  # a perfect batch would otherwise divide by zero


class Options(PartOptions):
    pass


def build(options: Options, context: Context) -> nn.Module:
    """Build p(x|z) = N(mean, sigma^2 I) with the optimal sigma."""
    return OptimalSigma()


class OptimalSigma(nn.Module):
    fixed = False
    sigma: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("sigma", torch.ones(()))

    def log_prob(self, x: Tensor, mean: Tensor) -> Tensor:
        """Log-density of each image, (b, channel, height, width): nats, summed over pixels, (b,)."""
        mean = mean.float()
        variance = (x - mean).square().mean().clamp_min(LEAST_VARIANCE) if self.training else self.sigma.square()
        return gaussian.log_prob(x, mean, variance.log())

    def calibrate(self, mean_squared_error: float) -> None:
        """Set sigma from the mean squared error, for each pixel, of the training split under the posterior."""
        self.sigma.fill_(max(mean_squared_error, LEAST_VARIANCE) ** 0.5)
