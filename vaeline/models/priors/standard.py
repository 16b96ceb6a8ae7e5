"""The standard normal prior, the same for every label."""

import torch
from torch import Tensor, nn

from vaeline.models import gaussian
from vaeline.models.contracts import Context, Latent
from vaeline.models.part_checks import vector_size
from vaeline.study.parts import PartOptions


class Options(PartOptions):
    pass


def build(options: Options, context: Context) -> nn.Module:
    """Build p(z) = N(0, I).

    Raises:
        UserError: the posterior makes codes.
    """
    return Standard(vector_size(context, "prior standard"))


class Standard(nn.Module):
    conditional = False
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

    def kl(self, latent: Latent, condition: Tensor | None) -> Tensor | None:
        """KL(q(z|x) || p(z)) in closed form, where q is Gaussian and z its plain sample: nats, (b,)."""
        each = self.kl_each(latent, condition)
        return None if each is None else each.sum(1)

    def kl_each(self, latent: Latent, condition: Tensor | None) -> Tensor | None:
        """The same in each dimension, (b, latent)."""
        if latent.mean is None or latent.log_var is None:
            return None
        return gaussian.kl_each(latent.mean, latent.log_var, self.zero, self.zero)
