"""Every code as likely as every other, at every place: the prior under which a VQ-VAE trains (van den Oord et al., 2017)."""

from math import log

import torch
from torch import Tensor, nn

from vaeline.models.contracts import Context, Latent
from vaeline.models.part_checks import codes_and_size
from vaeline.study.parts import PartOptions


class Options(PartOptions):
    pass


def build(options: Options, context: Context) -> nn.Module:
    """Build p(codes) = 1 / codes^(rows * columns).

    Raises:
        UserError: the posterior makes vectors.
    """
    return Uniform(*codes_and_size(context, "prior uniform"))


class Uniform(nn.Module):
    conditional = False
    place: Tensor  # knows the device

    def __init__(self, codes: int, size: tuple[int, int]) -> None:
        super().__init__()
        self.codes = codes
        self.register_buffer("place", torch.zeros(size), persistent=False)

    def log_prob(self, z: Tensor, condition: Tensor | None) -> Tensor:
        """Log-probability of codes, (b, rows, columns): nats, (b,)."""
        return self.place.new_full((len(z),), -self.place.numel() * log(self.codes))

    def sample(self, count: int, condition: Tensor | None) -> Tensor:
        """Draw codes, (count, rows, columns)."""
        return torch.randint(self.codes, (count, *self.place.shape), device=self.place.device)

    def kl(self, latent: Latent, condition: Tensor | None) -> Tensor | None:
        """The model takes log q - log p, which is exact: q is certain."""
        return None
