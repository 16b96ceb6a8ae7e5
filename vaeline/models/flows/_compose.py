"""Flows one after the other."""

from collections.abc import Iterable

from torch import Tensor, nn

from vaeline.models.contracts import Flow


class Chain(Flow):
    """u = f_n(...f_1(z)); every flow sees the same context."""

    def __init__(self, flows: nn.ModuleList) -> None:
        super().__init__()
        self.flows = flows

    def forward(self, z: Tensor, context: Tensor | None = None) -> tuple[Tensor, Tensor]:
        return compose(self.flows, z, context)

    def inverse(self, u: Tensor, context: Tensor | None = None) -> Tensor:
        return undo(self.flows, u, context)


def compose(flows: Iterable[nn.Module], z: Tensor, context: Tensor | None) -> tuple[Tensor, Tensor]:
    """Send z, (b, latent), through flows in order: u of the same shape, and the sum of their log-determinants, (b,)."""
    log_det = z.new_zeros(z.shape[0])
    for flow in flows:
        z, term = flow(z, context)
        log_det = log_det + term
    return z, log_det


def undo(flows: nn.ModuleList, u: Tensor, context: Tensor | None) -> Tensor:
    """Send u, (b, latent), back through flows, the last one first."""
    for flow in reversed(flows):
        assert isinstance(flow, Flow)
        u = flow.inverse(u, context)
    return u
