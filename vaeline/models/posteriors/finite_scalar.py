"""Finite scalar quantization: each dimension of a place is rounded to one of a few numbers (FSQ: Mentzer et al., 2024, section 3).

The codebook is the grid of all combinations. It has no weights, so there is nothing to train it by, and no vector of it can be lost.
"""

from itertools import accumulate
from math import atanh, prod
from operator import mul
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from vaeline.models.contracts import Context, Posterior
from vaeline.models.latent import DiscreteLatent, Kind
from vaeline.models.part_checks import require_images
from vaeline.study.parts import PartOptions
from vaeline.system.errors import UserError

MARGIN = 1e-3  # by which the outermost numbers stay inside the bounds of the tanh
MOST_CODES = 65_536


class Options(PartOptions):
    levels: list[Annotated[int, Field(ge=3, le=256)]] = Field(
        [8, 5, 5, 5], min_length=1, description="numbers that each dimension is rounded to; `latent` is their count"
    )


def build(options: Options, context: Context) -> "FiniteScalar":
    """Build the grid.

    Raises:
        UserError: the latent has another size, the grid is too large, or the data are points.
    """
    require_images(context, f"posterior {options.name}", "take posterior gaussian")
    if len(options.levels) != context.latent_shape[0]:
        raise UserError(
            f"posterior.levels has {len(options.levels)} numbers, but latent is {context.latent_shape[0]}; set latent to "
            f"{len(options.levels)}, or give a number of levels for each dimension."
        )
    if prod(options.levels) > MOST_CODES:
        raise UserError(
            f"posterior.levels {options.levels} make {prod(options.levels):,} codes; take at most {MOST_CODES:,}."
        )
    return FiniteScalar(options.levels)


class FiniteScalar(Posterior):
    kind: Kind = "discrete"
    takes_map = True
    levels: Tensor  # (latent,)
    place_value: Tensor  # of each dimension in an index, (latent,)
    reach: Tensor  # half the width of the tanh's range, (latent,)
    middle: Tensor  # of that range: 0 for an odd number of levels, -1/2 for an even one
    shift: Tensor  # added before the tanh, so that 0 stays 0

    def __init__(self, levels: list[int]) -> None:
        super().__init__()
        self.features, self.codebook_size = len(levels), prod(levels)
        reach = [(each - 1) * (1 - MARGIN) / 2 for each in levels]
        middle = [0.0 if each % 2 else -0.5 for each in levels]
        constants = {
            "levels": torch.tensor(levels),
            "place_value": torch.tensor(list(accumulate([1, *levels[:-1]], mul))),
            "reach": torch.tensor(reach),
            "middle": torch.tensor(middle),
            "shift": torch.tensor([atanh(-at / half) for at, half in zip(middle, reach, strict=True)]),
        }
        for name, constant in constants.items():
            self.register_buffer(name, constant, persistent=False)

    def forward(self, features: Tensor) -> DiscreteLatent:
        """Round each dimension of a map, (b, latent, rows, columns); the indices are certain, so log q = 0."""
        bounded = self._bounded(features.float())  # (b, rows, columns, latent)
        rounded = bounded.round()
        indices = ((rounded + self.levels // 2).long() * self.place_value).sum(3)
        z = (bounded + (rounded - bounded).detach()) / (self.levels // 2)
        z, encoded = z.movedim(3, 1), (bounded / (self.levels // 2)).movedim(3, 1)
        return DiscreteLatent(z, indices, encoded, self.embed(indices).unsqueeze(0))

    def centre(self, features: Tensor) -> Tensor:
        """The features rounded, (b, latent, rows, columns)."""
        return (self._bounded(features.float()).round() / (self.levels // 2)).movedim(3, 1)

    def embed(self, indices: Tensor) -> Tensor:
        """The grid's points at indices, (b, rows, columns): (b, latent, rows, columns), from -1 to 1."""
        half = self.levels // 2
        return ((indices.unsqueeze(3) // self.place_value % self.levels - half) / half).movedim(3, 1)

    def _bounded(self, features: Tensor) -> Tensor:
        """The features inside the numbers that each dimension may round to, (b, rows, columns, latent)."""
        return (features.movedim(1, 3) + self.shift).tanh() * self.reach + self.middle
