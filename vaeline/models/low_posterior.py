"""Low-posterior samples: draws of the prior that the aggregate posterior hardly covers (Rosca et al., 2018)."""

import torch
from torch import Tensor

from vaeline.models.aggregate_posterior import Aggregate
from vaeline.models.model import Model
from vaeline.models.sampling import draw


@torch.inference_mode()
def low_posterior(
    model: Model, aggregate: Aggregate, labels: Tensor, seed: int, batch_size: int = 256
) -> tuple[Tensor, Tensor] | None:
    """Pick, of ten draws of p(z) for each row of labels, the tenth that the aggregate posterior covers least.

    Args:
        model: on the device of the labels.
        aggregate: of the training split.
        labels: that are asked for, (n, columns).
        seed: of the draws.
        batch_size: draws at a time.

    Returns:
        The latents picked, (n, latent), the least covered first, and their labels, (n, columns); None where a draw's density
        cannot be known, a flow's inverse being lost.
    """
    torch.manual_seed(seed)
    asked = labels.repeat(draws(len(labels)) // len(labels), 1)
    z = torch.cat([draw(model, of) for of in asked.split(batch_size)])
    log_q = aggregate.log_prob(z)
    if log_q.isnan().any():
        return None
    rows = lowest(log_q, len(labels)).to(z.device)
    return z[rows], asked[rows]


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
