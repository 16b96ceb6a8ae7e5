"""The standard normal prior, the same for every label."""

import torch
from torch import Tensor

from vaeline.models import gaussian
from vaeline.models.contracts import Context, Prior
from vaeline.models.latent import GaussianLatent, Latent
from vaeline.models.part_checks import vector_size
from vaeline.study.parts import PartOptions


class Options(PartOptions):
    pass


def build(options: Options, context: Context) -> "Standard":
    """Build p(z) = N(0, I).

    Raises:
        UserError: the latents are discrete.
    """
    return Standard(vector_size(context, f"prior {options.name}"))


class Standard(Prior):
    zero: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("zero", torch.zeros(size), persistent=False)

    def log_prob(self, z: Tensor, condition: Tensor | None) -> Tensor:
        """Log-density of z, (b, latent): nats, (b,)."""
        return gaussian.log_prob(z, self.zero, self.zero)

    def sample(self, count: int, condition: Tensor | None) -> Tensor:
        """Draw z, (count, latent)."""
        return torch.randn(count, len(self.zero), device=self.zero.device)

    def kl_each(self, latent: Latent, condition: Tensor | None) -> Tensor | None:
        """KL(q(z_j|x) || p(z_j)) in closed form, for a Gaussian q: nats, (b, latent)."""
        if not isinstance(latent, GaussianLatent):
            return None
        return gaussian.kl_to_standard_each(latent.mean, latent.log_var)
