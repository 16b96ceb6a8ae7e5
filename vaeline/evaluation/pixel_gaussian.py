"""The pixel Gaussian: samples with the mean and covariance of all pixels, which a generator should beat."""

from collections.abc import Iterator
from math import sqrt

import numpy as np
import torch

from vaeline.data.on_demand import BATCH, Images, OnDemand, blocks
from vaeline.system.evenly_spaced import evenly_spaced

MOST_DIRECTIONS = 10_000  # training images that span the Gaussian; time and memory grow with them


def samples_of(images: Images, count: int, levels: int, seed: int) -> Iterator[np.ndarray]:
    """Sample a Gaussian with the mean and covariance of all pixels: blocks of uint8 images, clipped and rounded.

    A sample is mean + w (X - mean) / sqrt(n - 1) with standard normal w, (n,), and the training images X, (n, pixels):
    the covariance itself, 22,188 x 22,188 for faces, is never formed.

    Args:
        images: training split, uint8 (any, channel, height, width); 10,000 of them are used at most.
        count: samples.
        levels: of a pixel.
        seed: of the samples.
    """
    rows, generator = evenly_spaced(len(images), MOST_DIRECTIONS), torch.Generator().manual_seed(seed)
    used: Images = images.select(rows) if isinstance(images, OnDemand) else images[rows]

    def pixels() -> Iterator[torch.Tensor]:
        return (torch.from_numpy(block).flatten(1) for block in blocks(used))

    mean = (torch.stack([block.double().sum(0) for block in pixels()]).sum(0) / len(rows)).float()
    for start in range(0, count, BATCH):
        weights = torch.randn(min(BATCH, count - start), len(rows), generator=generator) / sqrt(len(rows) - 1)
        samples, place = mean.repeat(len(weights), 1), 0
        for block in pixels():
            samples.addmm_(weights[:, place : place + len(block)], block - mean)
            place += len(block)
        yield samples.round_().clamp_(0, levels - 1).to(torch.uint8).unflatten(1, images.shape[1:]).numpy()
