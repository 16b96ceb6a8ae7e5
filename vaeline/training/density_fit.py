"""Fit a density to the latents of a trained model."""

from typing import Any

import torch
from torch import Tensor

from vaeline.data.batches import Batches
from vaeline.models.model import Model
from vaeline.system.progress import Bar
from vaeline.system.seeds import derive_seed
from vaeline.training.checkpoints import Checkpoints


@torch.no_grad()
def codes_of(model: Model, batches: Batches, seed: int) -> tuple[Tensor, Tensor | None]:
    """One sample of each image's posterior, or its codes, and its condition, in the order of the split."""
    torch.manual_seed(derive_seed("codes posterior", seed))
    found = [
        (model.encode(x, labels).density_input, model.condition(labels))
        for x, labels in batches.ordered(derive_seed("codes batches", seed))
    ]
    conditions = [condition for _, condition in found if condition is not None]
    return torch.cat([codes for codes, _ in found]), torch.cat(conditions) if conditions else None


def fit_density(model: Model, batches: Batches, seed: int, checkpoints: Checkpoints) -> list[float]:
    """Fit a trained model's density to its codes of the training split, going on where a killed fit stopped.

    Args:
        model: trained; its density is fitted in place.
        batches: training split, on the model's device.
        seed: of the run.
        checkpoints: where the state after each epoch goes; decided by all that decides the model too.

    Returns:
        The mean negative log-probability of the codes in each epoch, nats.

    Raises:
        UserError: the fit diverged.
    """
    model.eval()
    codes, condition = codes_of(model, batches, seed)
    density: Any = model.density
    epochs = density.epochs
    before = checkpoints.latest(epochs)
    losses: list[float] = list(before["losses"]) if before else []
    with Bar("density", epochs, done=len(losses), unit="epochs") as bar:
        for state in density.fit(codes, condition, derive_seed("density", seed), before):
            losses.append(state["loss"])
            checkpoints.write(state["epoch"], {**state, "losses": losses}, state["epoch"] == epochs)
            bar.advance(1, f"loss {state['loss']:.2f}")
    return losses
