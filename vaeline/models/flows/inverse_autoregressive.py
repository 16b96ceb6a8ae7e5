"""Inverse autoregressive flow (Kingma et al., 2016), its networks MADEs (Germain et al., 2015)."""

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import linear, logsigmoid

from vaeline.models.contracts import Context, Flow
from vaeline.models.flows._compose import compose, undo
from vaeline.study.parts import PartOptions

OPEN = 2.0  # added to s, so that an untrained gate lets most of z through; the paper starts it at +1 or +2


class Options(PartOptions):
    layers: int = Field(4, ge=1, le=64, description="steps; consecutive steps order the dimensions in opposite ways")
    hidden: int = Field(64, ge=1, description="units of the two hidden layers in each step's MADE")


def build(options: Options, context: Context) -> "InverseAutoregressive":
    """Build a chain of steps over a latent vector."""
    [size] = context.latent_shape
    return InverseAutoregressive(size, options.layers, options.hidden, context.flow_context)


class InverseAutoregressive(Flow):
    """u = f(z), where each step moves every dimension by a function of those before it, in one pass."""

    def __init__(self, size: int, layers: int, hidden: int, context: int) -> None:
        super().__init__()
        order = torch.arange(size)
        self.steps = nn.ModuleList(
            Step(order if layer % 2 == 0 else order.flip(0), hidden, context) for layer in range(layers)
        )

    def forward(self, z: Tensor, context: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Map z, (b, latent), to u of the same shape and log|det du/dz|, (b,)."""
        return compose(self.steps, z, context)

    def inverse(self, u: Tensor, context: Tensor | None = None) -> Tensor:
        """Map u back to z, exactly; each step runs its network once for every dimension."""
        return undo(self.steps, u, context)


class Step(Flow):
    """u = sigma z + (1 - sigma) m with sigma = sigmoid(s), as in the paper's algorithm 1."""

    order: Tensor  # dimensions, from the one that depends on no other to the one that depends on all

    def __init__(self, order: Tensor, hidden: int, context: int) -> None:
        super().__init__()
        self.register_buffer("order", order, persistent=False)
        self.amortised = context > 0
        self.network = made(order, hidden, context)

    def forward(self, z: Tensor, context: Tensor | None = None) -> tuple[Tensor, Tensor]:
        m, s = self._mean_and_gate(z, context)
        sigma = s.sigmoid()
        return sigma * z + (1 - sigma) * m, logsigmoid(s).sum(1)

    def inverse(self, u: Tensor, context: Tensor | None = None) -> Tensor:
        z = torch.zeros_like(u)
        for index in self.order.split(1):
            m, s = (value.index_select(1, index) for value in self._mean_and_gate(z, context))  # (b, 1) each
            z = z.index_copy(1, index, m + (u.index_select(1, index) - m) * (1 + (-s).exp()))
        return z

    def _mean_and_gate(self, z: Tensor, context: Tensor | None) -> tuple[Tensor, Tensor]:
        h = z if context is None or not self.amortised else torch.cat([z, context], 1)
        m, s = self.network(h).to(z.dtype).chunk(2, 1)  # (b, latent) each
        return m, s + OPEN


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
