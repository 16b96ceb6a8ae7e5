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
    """Draw p(z) ten times for each row of labels, and pick the tenth with the lowest density under the aggregate posterior.

    Args:
        model: on the device of the labels.
        aggregate: of the training split.
        labels: of the samples, (n, columns).
        seed: of the draws.
        batch_size: draws at a time.

    Returns:
        The latents picked, (n, latent), lowest density first, and their labels, (n, columns); None if the density of a draw is
        unknown because the inverse of a flow is inaccurate.
    """
    torch.manual_seed(seed)
    asked = labels.repeat(draws(len(labels)) // len(labels), 1)
    z = torch.cat([draw(model, of) for of in asked.split(batch_size)])
    log_q = aggregate.log_prob(z)
    if log_q.isnan().any():
        return None
    rows = lowest(log_q, len(labels)).to(z.device)
    return z[rows], asked[rows]


FRACTION = 0.1  # of the prior's draws that are picked


def draws(count: int, fraction: float = FRACTION) -> int:
    """The draws of the prior among which `count` are picked."""
    return round(count / fraction)


def lowest(log_q: Tensor, count: int, fraction: float = FRACTION) -> Tensor:
    """Pick the draws of the prior with the lowest density under the aggregate posterior.

    Args:
        log_q: log-density of each draw, (draws,).
        count: draws to pick.
        fraction: of the draws that `count` must be.

    Returns:
        Rows of the draws picked, lowest density first, equal ones in the order of the draws, (count,).

    Raises:
        ValueError: count is not that fraction of the draws, or a density is unknown.
    """
    if log_q.isnan().any():
        raise ValueError(f"the density of {int(log_q.isnan().sum())} of {len(log_q)} draws is unknown")
    if len(log_q) != draws(count, fraction):
        raise ValueError(f"{count} is not {fraction:g} of {len(log_q)} draws; give {draws(count, fraction)} draws")
    return torch.argsort(log_q, stable=True)[:count]
