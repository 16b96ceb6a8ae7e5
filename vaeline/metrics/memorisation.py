"""Memorised images: samples that lie closer to one training image than new images do.

Test images say how close new images come to training images (Meehan et al., 2020). The distance to the nearest training image
is taken in units of that to its neighbours (Carlini et al., 2023): blurred or typical images are close to many training images,
a copy is close to one.
"""

from math import sqrt

import numpy as np
import torch
from torch import Tensor

from vaeline.metrics._entry import Metric, Reference
from vaeline.metrics._images import Dash, ImageSet, Measured, Results, refuse_identical
from vaeline.system.evenly_spaced import evenly_spaced

METRICS = [
    Metric(
        "memorised_share",
        group="Images",
        meaning="samples closer to a training image than new images are, 0.05 if none is memorised",
        definition="Share of samples that are closer to a training image than 95% of test images are, in units of the distance to "
        "the 5th nearest training image.",
        better="lower",
        standard_error="over images",
        references=(
            Reference(
                "memorised_share_floor",
                "The same of validation images in place of samples.",
                subject="held_out",
                past="better than real images",
            ),
        ),
        data=("images",),
        subject="sample",
    )
]

NEIGHBOURS = 5
LEVEL = 0.05  # share of new images that count as memorised
FEWEST = 20  # test images, so that one of them is below the level
ROUNDING = 1e-4  # features of one image in two batches differ by less
MOST_PAIRS = 50_000_000  # distances to training images that are computed of each set
BLOCK_PAIRS = 5_000_000  # distances that are in memory at a time


def measure(images: ImageSet, real: ImageSet) -> Results:
    """The share of images that are closer to a training image than test images are."""
    refuse_identical(real)
    train = real.train
    if train is None or len(train) < NEIGHBOURS:
        return {"memorised_share": Dash(f"it needs the features of at least {NEIGHBOURS} training images")}
    most = max(MOST_PAIRS // len(train), 1)
    drawn, test = (evenly_spaced(len(each.features), most) for each in (images, real))
    if len(test) < FEWEST:
        return {"memorised_share": Dash(f"it needs at least {FEWEST} test images")}
    of_drawn, of_test = (_closeness(each, train, rows) for each, rows in ((images, drawn), (real, test)))
    limit = np.quantile(of_test, LEVEL)
    if limit < ROUNDING:
        return {"memorised_share": Dash(f"{LEVEL:.0%} of the test images have the features of training images")}
    share = float((of_drawn < limit).mean())
    # Of the share, and of the limit where the samples are no denser there than the test images.
    error = sqrt(share * (1 - share) / len(drawn) + LEVEL * (1 - LEVEL) / len(test))
    how = {"images": len(drawn), "of": len(test), "training_images": len(train)}
    return {"memorised_share": Measured(share, how, error)}


def _closeness(images: ImageSet, train: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The closeness of some rows, (n,). Halves of the images share it: the distances are nearly all that this metric costs."""

    def compute(features: np.ndarray) -> np.ndarray:
        return closeness(torch.from_numpy(features), torch.from_numpy(train)).numpy()

    return images.of_each("closeness", train, compute, rows)


def closeness(features: Tensor, train: Tensor) -> Tensor:
    """The distance to the nearest training image in units of that to the 5th nearest: 0 for a copy, 1 if all five are as near.

    Args:
        features: of images, (n, dimensions).
        train: of training images, (m, dimensions), at least 5.

    Returns:
        0 to 1, (n,); 0 where the 5th nearest is at distance 0 too.
    """
    train = train.double()
    blocks = features.double().split(max(1, BLOCK_PAIRS // len(train)))
    nearest = torch.cat([_nearest(block, train) for block in blocks])
    return (nearest[:, 0] / nearest[:, -1]).nan_to_num(0.0)


def _nearest(features: Tensor, train: Tensor) -> Tensor:
    """The distances to the nearest training images, ascending, (n, NEIGHBOURS).

    Only those are exact: `cdist` expands the square into products, whose rounding would make copies as far as one another.
    """
    found = torch.cdist(features, train).topk(NEIGHBOURS, largest=False).indices
    return torch.stack([(features - train[rows]).norm(dim=1) for rows in found.unbind(1)], 1).sort(1).values
