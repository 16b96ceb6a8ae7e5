"""Autoregressive flows: each dimension is scaled and shifted by functions of those before it, which a MADE computes (Germain et al., 2015)."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from vaeline.models.contracts import Flow
from vaeline.models.flows._compose import compose, undo

Map = Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]  # z, m, s -> u, log|du/dz| of each dimension
Inverse = Callable[[Tensor, Tensor, Tensor], Tensor]  # u, m, s -> z


class Autoregressive(Flow):
    """u = f(z), step by step, each in one pass; consecutive steps order the dimensions in opposite ways.

    Args:
        of_dimension: maps a dimension of z, given two numbers m and s that depend on the dimensions before it.
        undo_dimension: its inverse.
        size: dimensions of z.
        layers: number of steps.
        hidden: units of the two hidden layers in each step's MADE.
        context: size of the context that m and s depend on too; 0 for none.
    """

    def __init__(
        self, of_dimension: Map, undo_dimension: Inverse, size: int, layers: int, hidden: int, context: int
    ) -> None:
        super().__init__()
        order = torch.arange(size)
        self.steps = nn.ModuleList(
            Step(of_dimension, undo_dimension, order if layer % 2 == 0 else order.flip(0), hidden, context)
            for layer in range(layers)
        )

    def forward(self, z: Tensor, context: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Map z, (b, latent), to u of the same shape and log|det du/dz|, (b,)."""
        return compose(self.steps, z, context)

    def inverse(self, u: Tensor, context: Tensor | None = None) -> Tensor:
        """Map u back to z, exactly; each step runs its network once for every dimension."""
        return undo(self.steps, u, context)


class Step(Flow):
    order: Tensor  # dimensions, from the one that depends on no other to the one that depends on all

    def __init__(self, of_dimension: Map, undo_dimension: Inverse, order: Tensor, hidden: int, context: int) -> None:
        super().__init__()
        self.of_dimension, self.undo_dimension = of_dimension, undo_dimension
        self.register_buffer("order", order, persistent=False)
        self.amortised = context > 0
        self.network = made(order, hidden, context)

    def forward(self, z: Tensor, context: Tensor | None = None) -> tuple[Tensor, Tensor]:
        u, log_slopes = self.of_dimension(z, *self._shift_and_scale(z, context))
        return u, log_slopes.sum(1)

    def inverse(self, u: Tensor, context: Tensor | None = None) -> Tensor:
        z = torch.zeros_like(u)
        for index in self.order.split(1):
            m, s = (value.index_select(1, index) for value in self._shift_and_scale(z, context))  # (b, 1) each
            z = z.index_copy(1, index, self.undo_dimension(u.index_select(1, index), m, s))
        return z

    def _shift_and_scale(self, z: Tensor, context: Tensor | None) -> tuple[Tensor, Tensor]:
        h = z if context is None or not self.amortised else torch.cat([z, context], 1)
        m, s = self.network(h).to(z.dtype).chunk(2, 1)  # (b, latent) each
        return m, s


def made(order: Tensor, hidden: int, context: int) -> nn.Sequential:
    """Build a network of two masked hidden layers whose outputs for a dimension depend only on the dimensions before it.

    A unit of degree k sees the first k dimensions, and always the context, which has degree 0. Degrees are spread evenly,
    without 0 if there is no context and more than one dimension.

    Args:
        order: the dimensions, first to last, (latent,).
        hidden: units of each hidden layer.
        context: size of the context, which follows z in the input.

    Returns:
        A map of z and context, (b, latent + context), to m and s, concatenated: (b, 2 latent), zero before training.
    """
    size = len(order)
    degree = order.argsort() + 1  # of each dimension: its place, from 1
    inputs = torch.cat([degree, degree.new_zeros(context)])
    least = 0 if context or size == 1 else 1
    inside = least + torch.arange(hidden) * (size - least) // hidden
    last = MaskedLinear(degree.repeat(2)[:, None] > inside)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    return nn.Sequential(
        MaskedLinear(inside[:, None] >= inputs), nn.ELU(), MaskedLinear(inside[:, None] >= inside), nn.ELU(), last
    )  # fmt: skip


class MaskedLinear(nn.Linear):
    """A linear layer without the connections that `mask`, (outputs, inputs), leaves out."""

    mask: Tensor

    def __init__(self, mask: Tensor) -> None:
        outputs, inputs = mask.shape
        super().__init__(inputs, outputs)
        self.register_buffer("mask", mask, persistent=False)

    def forward(self, input: Tensor) -> Tensor:
        return linear(input.to(self.weight.dtype), self.weight * self.mask, self.bias)
