"""Fit a density to the latents of a trained model."""

import torch
from torch import Tensor

from vaeline.data.batches import Batches
from vaeline.models.model import Model
from vaeline.system.seeds import derive_seed
from vaeline.training.checkpointed_fit import fit_through
from vaeline.training.checkpoints import Checkpoints


@torch.no_grad()
def latents_of(model: Model, batches: Batches, seed: int) -> tuple[Tensor, Tensor | None]:
    """One sample of each image's posterior, z or indices, and its condition, in the order of the split."""
    torch.manual_seed(derive_seed("codes posterior", seed))
    latents, conditions = [], []
    for x, labels in batches.ordered(derive_seed("codes batches", seed)):
        condition = model.condition(labels)
        latents.append(model.encode(x, condition).density_input)
        conditions += [] if condition is None else [condition]
    return torch.cat(latents), torch.cat(conditions) if conditions else None


def fit_density(model: Model, batches: Batches, seed: int, checkpoints: Checkpoints) -> list[float]:
    """Fit the density of a trained model to the latents of the training split; continue a fit that was stopped.

    Args:
        model: a trained model with a density, which is fitted in place.
        batches: training split, on the model's device.
        seed: of the run.
        checkpoints: of the fit; their key covers the training of the model too.

    Returns:
        The loss of each epoch, which for most densities is the mean negative log-probability of the latents, nats.

    Raises:
        UserError: the fit diverged.
    """
    density = model.eval().density
    assert density is not None
    latents, condition = latents_of(model, batches, seed)
    of_fit = derive_seed("density", seed)
    return fit_through(
        "density", density.epochs, checkpoints, lambda state: density.fit(latents, condition, of_fit, state)
    )
