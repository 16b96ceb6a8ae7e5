"""What is drawn from a trained model: pictures as the store holds them, uint8 levels."""

from collections.abc import Iterator

import torch
from torch import Tensor

from vaeline.batches import Batches, to_pixels
from vaeline.model import Model
from vaeline.store import Facts


@torch.inference_mode()
def reconstruct(model: Model, images: Batches, seed: int) -> Iterator[Tensor]:
    """Decode the posterior mean of each image: batches of levels, uint8 (b, channel, height, width)."""
    for x, labels in images.ordered(seed):
        yield to_pixels(model.reconstruct(x, labels), images.facts).cpu()


@torch.inference_mode()
def sample(model: Model, labels: Tensor, facts: Facts, seed: int, batch_size: int = 256) -> Iterator[Tensor]:
    """Decode one draw of the prior for each row of labels, (n, columns): batches of levels, uint8."""
    torch.manual_seed(seed)
    for requested in labels.split(batch_size):
        yield to_pixels(model.sample(requested), facts).cpu()
