"""Maps one after the other."""

from collections.abc import Iterable
from typing import Any

from torch import Tensor


def compose(maps: Iterable[Any], z: Tensor, context: Tensor | None) -> tuple[Tensor, Tensor]:
    """Send z, (b, latent), through maps in order: u of the same shape, and the sum of their log-determinants, (b,)."""
    log_det = z.new_zeros(len(z))
    for each in maps:
        z, term = each(z, context)
        log_det = log_det + term
    return z, log_det
