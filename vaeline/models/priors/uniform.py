"""The uniform distribution over maps of indices, under which a VQ-VAE trains (van den Oord et al., 2017)."""

from math import log

import torch
from torch import Tensor

from vaeline.models.contracts import Context, Prior
from vaeline.models.part_checks import codebook_and_map_size
from vaeline.study.parts import PartOptions


class Options(PartOptions):
    pass


def build(options: Options, context: Context) -> "Uniform":
    """Build p(indices) = 1 / codebook_size^(rows * columns).

    Raises:
        UserError: the latents are vectors.
    """
    return Uniform(*codebook_and_map_size(context, f"prior {options.name}"))


class Uniform(Prior):
    place: Tensor  # of the size of the map, on the device of the model

    def __init__(self, codebook_size: int, size: tuple[int, int]) -> None:
        super().__init__()
        self.codebook_size = codebook_size
        self.register_buffer("place", torch.zeros(size), persistent=False)

    def log_prob(self, z: Tensor, condition: Tensor | None) -> Tensor:
        """Log-probability of indices, (b, rows, columns): nats, (b,)."""
        return self.place.new_full((len(z),), -self.place.numel() * log(self.codebook_size))

    def sample(self, count: int, condition: Tensor | None) -> Tensor:
        """Draw indices, (count, rows, columns)."""
        return torch.randint(self.codebook_size, (count, *self.place.shape), device=self.place.device)
