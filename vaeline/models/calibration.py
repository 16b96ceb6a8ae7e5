"""The error that the variance of a Gaussian decoder is fitted to."""

from math import prod

import torch

from vaeline.data.batches import Batches
from vaeline.models.model import Model


@torch.inference_mode()
def mean_squared_error(model: Model, batches: Batches, seed: int) -> float:
    """Mean over images and pixels of (x - decode(z))^2, z ~ q(z|x), without augmentation: the best variance of a Gaussian decoder."""
    total = 0.0
    for x, labels in batches.ordered(seed):
        squares = (x - model.decode(model.encode(x, labels).z, labels)).square().flatten(1).sum(1)
        total += squares.cpu().double().sum().item()  # not every accelerator has float64
    return total / (len(batches.images) * prod(batches.facts.image_shape))
