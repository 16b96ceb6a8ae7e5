"""Maps one after the other."""

from collections.abc import Iterable
from typing import Any

from torch import Tensor, nn


def compose(maps: Iterable[Any], z: Tensor, context: Tensor | None) -> tuple[Tensor, Tensor]:
    """Send z, (b, latent), through maps in order: u of the same shape, and the sum of their log-determinants, (b,)."""
    log_det = z.new_zeros(len(z))
    for each in maps:
        z, term = each(z, context)
        log_det = log_det + term
    return z, log_det


def undo(maps: nn.ModuleList, u: Tensor, context: Tensor | None) -> Tensor:
    """Send u, (b, latent), back through maps, the last one first."""
    for each in reversed(maps):
        u = each.inverse(u, context)  # type: ignore[operator]
    return u
