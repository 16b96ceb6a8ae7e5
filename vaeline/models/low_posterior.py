"""Low-posterior samples: draws of the prior that the aggregate posterior hardly covers (Rosca et al., 2018).

High-posterior samples are the reverse, as in "dpVAEs: Fixing Sample Generation for Regularized VAEs", section 4.1: draws of the
aggregate posterior that the prior hardly covers.
"""

import torch
from torch import Tensor

from vaeline.models.aggregate_posterior import Aggregate
from vaeline.models.model import Model
from vaeline.models.sampling import draw
from vaeline.system.evenly_spaced import evenly_spaced

MOST_PICKED = 5000
FRACTION = 0.1  # of the draws that are picked


@torch.inference_mode()
def low_posterior(
    model: Model, aggregate: Aggregate, labels: Tensor, seed: int, batch_size: int = 256
) -> tuple[Tensor, Tensor] | None:
    """Draw p(z) ten times for each row of labels, and pick the tenth with the lowest density under the aggregate posterior.

    Each density of a draw costs a pass over all training images. Of more than MOST_PICKED rows, as many are taken, spread evenly.

    Args:
        model: on the device of the labels.
        aggregate: of the training split.
        labels: of the samples, (n, columns).
        seed: of the draws.
        batch_size: draws at a time.

    Returns:
        The latents picked, (n, latent), lowest density first, and their labels, (n, columns), n at most MOST_PICKED; None if the density
        of a draw is unknown because the inverse of a flow is inaccurate.
    """
    torch.manual_seed(seed)
    labels = labels[torch.from_numpy(evenly_spaced(len(labels), MOST_PICKED)).to(labels.device)]
    asked = labels.repeat(draws(len(labels)) // len(labels), 1)
    z = torch.cat([draw(model, of) for of in asked.split(batch_size)])
    log_q = aggregate.log_prob(z)
    if log_q.isnan().any():
        return None
    rows = lowest(log_q, len(labels)).to(z.device)
    return z[rows], asked[rows]


@torch.inference_mode()
def high_posterior(model: Model, z: Tensor, labels: Tensor) -> Tensor | None:
    """Pick the tenth of draws of the aggregate posterior with the lowest density under p(z), or under p(z|y) if it is conditional.

    Args:
        model: on the device of the draws.
        z: the draws, (draws, latent), a multiple of ten.
        labels: of the images whose posteriors they were drawn from, (draws, columns).

    Returns:
        Rows of the draws picked, lowest density first, (draws / 10,); None if the density of a draw is unknown, or samples do not
        follow it.
    """
    if model.latent_density.samples_differ:
        return None
    log_p = model.latent_density.log_prob(z, model.condition(labels))
    return None if log_p.isnan().any() else lowest(log_p, round(FRACTION * len(z)))


def draws(count: int) -> int:
    """The draws among which `count` are picked."""
    return round(count / FRACTION)


def lowest(log_density: Tensor, count: int) -> Tensor:
    """Pick the draws with the lowest density.

    Args:
        log_density: of each draw, (draws,).
        count: draws to pick, FRACTION of them.

    Returns:
        Rows of the draws picked, lowest density first, equal ones in the order of the draws, (count,).

    Raises:
        ValueError: count is another share of the draws, or a density is unknown.
    """
    if log_density.isnan().any():
        raise ValueError(f"the density of {int(log_density.isnan().sum())} of {len(log_density)} draws is unknown")
    if len(log_density) != draws(count):
        raise ValueError(f"{count} is not {FRACTION:g} of {len(log_density)} draws; give {draws(count)} draws")
    return torch.argsort(log_density, stable=True)[:count]
