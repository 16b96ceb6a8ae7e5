"""RealNVP's affine couplings with alternating halves (Dinh et al., 2017)."""

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from vaeline.models.contracts import Context, Flow
from vaeline.models.flows._compose import compose, undo
from vaeline.study.parts import PartOptions
from vaeline.system.errors import UserError


class Options(PartOptions):
    layers: int = Field(4, ge=1, le=64, description="couplings; neighbours transform opposite halves")
    hidden: int = Field(64, ge=1, description="units of the two hidden layers in scale and shift")
    shift: Literal["free", "bounded"] = Field(
        "free",
        description="bounded: through a tanh and times a learned reach, which keeps draws from the tails of the base near the data",
    )


def build(options: Options, context: Context) -> "AffineCouplings":
    """Build a stack of couplings over a latent vector.

    Raises:
        UserError: the latent has a single dimension, so that a coupling has no other half to depend on.
    """
    [size] = context.latent_shape
    if size < 2:
        raise UserError(f"flow {options.name} needs a latent of at least 2 dimensions, not 1; raise `latent`.")
    return AffineCouplings(size, options.layers, options.hidden, context.flow_context, options.shift == "bounded")


class AffineCouplings(Flow):
    """u = f(z), where each coupling scales and shifts one half of z by functions of the other half and of the context."""

    def __init__(self, size: int, layers: int, hidden: int, context: int, bounded: bool) -> None:
        super().__init__()
        self.couplings = nn.ModuleList(
            Coupling(size, hidden, context, bounded, even=layer % 2 == 0) for layer in range(layers)
        )

    def forward(self, z: Tensor, context: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Map z, (b, latent), to u of the same shape and log|det du/dz|, (b,)."""
        return compose(self.couplings, z, context)

    def inverse(self, u: Tensor, context: Tensor | None = None) -> Tensor:
        """Map u back to z, exactly."""
        return undo(self.couplings, u, context)


class Coupling(Flow):
    held: Tensor  # indices of the half that stays
    moved: Tensor  # indices of the half that is scaled and shifted
    reach: Tensor | None

    def __init__(self, size: int, hidden: int, context: int, bounded: bool, even: bool) -> None:
        super().__init__()
        held = torch.arange(size) % 2 == (0 if even else 1)
        self.register_buffer("held", held.nonzero().squeeze(1), persistent=False)
        self.register_buffer("moved", (~held).nonzero().squeeze(1), persistent=False)
        moved = len(self.moved)
        self.amortised = context > 0
        last = nn.Linear(hidden, 2 * moved)
        # Starts as the identity: an untrained flow does not change the base density.
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.network = nn.Sequential(
            nn.Linear(len(self.held) + context, hidden), nn.LeakyReLU(),
            nn.Linear(hidden, hidden), nn.LeakyReLU(),
            last,
        )  # fmt: skip
        self.bound = nn.Parameter(torch.ones(moved))
        self.register_parameter("reach", nn.Parameter(torch.ones(moved)) if bounded else None)

    def forward(self, z: Tensor, context: Tensor | None = None) -> tuple[Tensor, Tensor]:
        log_scale, shift = self._scale_and_shift(z, context)
        moved = z.index_select(1, self.moved) * log_scale.exp() + shift
        return z.index_copy(1, self.moved, moved), log_scale.sum(1)

    def inverse(self, u: Tensor, context: Tensor | None = None) -> Tensor:
        log_scale, shift = self._scale_and_shift(u, context)
        moved = (u.index_select(1, self.moved) - shift) * (-log_scale).exp()
        return u.index_copy(1, self.moved, moved)

    def _scale_and_shift(self, z: Tensor, context: Tensor | None) -> tuple[Tensor, Tensor]:
        held = z.index_select(1, self.held)
        h = held if context is None or not self.amortised else torch.cat([held, context], 1)
        log_scale, shift = self.network(h.to(self.bound.dtype)).chunk(2, 1)  # (b, moved) each
        # tanh is several times faster on a contiguous tensor.
        log_scale = self.bound * log_scale.contiguous().tanh()
        shift = shift if self.reach is None else self.reach * shift.contiguous().tanh()
        return log_scale.to(z.dtype), shift.to(z.dtype)
