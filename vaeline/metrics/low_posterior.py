"""Low-posterior samples: draws of the prior that the aggregate posterior hardly covers (Rosca et al., 2018)."""

import torch
from torch import Tensor

FRACTION = 0.1  # of the prior's draws that count as low


def draws(count: int, fraction: float = FRACTION) -> int:
    """How many draws of the prior have `count` low-posterior samples among them."""
    return round(count / fraction)


def lowest(log_q: Tensor, count: int, fraction: float = FRACTION) -> Tensor:
    """Pick the draws of the prior with the lowest density under the aggregate posterior.

    Args:
        log_q: log of that density at each draw, (draws,).
        count: draws to pick.
        fraction: of the draws that these are to be.

    Returns:
        Their rows, the lowest first and equals in the order they were drawn, (count,).

    Raises:
        ValueError: count is not that fraction of the draws, or a density is not known.
    """
    if log_q.isnan().any():
        raise ValueError(f"the density of {int(log_q.isnan().sum())} of {len(log_q)} draws is not known")
    if len(log_q) != draws(count, fraction):
        raise ValueError(f"{count} is not {fraction:g} of {len(log_q)} draws; give {draws(count, fraction)} draws")
    return torch.argsort(log_q, stable=True)[:count]
