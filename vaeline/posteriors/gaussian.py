"""The diagonal Gaussian posterior, reparameterised (Kingma and Welling, 2014)."""

from math import prod

import torch
from torch import Tensor, nn

from vaeline import gaussian
from vaeline.contracts import Context, Latent
from vaeline.parts import PartOptions


class Options(PartOptions):
    pass


def build(options: Options, context: Context) -> nn.Module:
    """Build q(z|x) = N(mean, exp(log_var)); it needs two numbers for each latent dimension."""
    return Gaussian(prod(context.latent_shape))


class Gaussian(nn.Module):
    def __init__(self, size: int) -> None:
        super().__init__()
        self.features = 2 * size

    def forward(self, features: Tensor) -> Latent:
        """Draw one z for each image out of features, (b, 2 latent)."""
        mean, log_var = features.float().chunk(2, 1)  # (b, latent) each
        log_var = log_var.clamp(-20, 20)  # a variance beyond e^20 overflows before the optimizer can mend it
        z = mean + (0.5 * log_var).exp() * torch.randn_like(mean)
        return Latent(z, gaussian.log_prob(z, mean, log_var), mean, log_var)
