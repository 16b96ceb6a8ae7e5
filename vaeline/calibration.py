"""What a Gaussian decoder's variance is fitted to."""

import torch

from vaeline.batches import Batches
from vaeline.model import Model


@torch.inference_mode()
def mean_squared_error(model: Model, batches: Batches, seed: int) -> float:
    """Mean over images and pixels of (x - decode(z))^2, z ~ q(z|x), unaugmented: the best variance of a Gaussian decoder."""
    total = torch.zeros((), dtype=torch.float64, device=batches.images.device)
    for x, labels in batches.ordered(seed):
        total += (x - model.decode(model.encode(x, labels).z, labels)).square().sum(dtype=torch.float64)
    return float(total) / batches.images.numel()
