"""Measures what evaluation takes as known: sigma of a likelihood (sigma-VAE: Rybkin et al., 2021, eq. 6), constants of a prior."""

from math import prod

import torch

from vaeline.data.batches import Batches
from vaeline.models.model import Model
from vaeline.system import ranks
from vaeline.system.seeds import derive_seed


def calibrate(model: Model, train: Batches, seed: int) -> None:
    """Calibrate the prior, and set sigma of a likelihood of kind calibrated to the best for the training split."""
    torch.manual_seed(derive_seed("calibration prior", seed))
    model.prior.calibrate()
    if model.likelihood.kind == "calibrated":
        torch.manual_seed(derive_seed("calibration posterior", seed))
        model.likelihood.calibrate(mean_error(model, train, derive_seed("calibration batches", seed)))


@torch.inference_mode()
def mean_error(model: Model, batches: Batches, seed: int) -> float:
    """Mean over images and pixels of the likelihood's `error`, z ~ q(z|x), without augmentation: the best variance of a Gaussian decoder."""
    total = 0.0
    for images, labels in batches.ordered(seed):
        with ranks.dealt(len(images)) as rows:
            x, of_x = images[rows], labels[rows]
            condition = model.condition(of_x)
            difference = x - model.decode(model.encode(x, condition).z, condition)
            errors = model.likelihood.error(difference).flatten(1).sum(1)
            total += ranks.total(errors.cpu().double().sum()).item()  # not every accelerator has float64
    return total / (len(batches.images) * prod(batches.facts.image_shape))
