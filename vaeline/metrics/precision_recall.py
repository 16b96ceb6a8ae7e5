"""Precision, recall, density and coverage of images, by nearest neighbours in a feature space.

Precision and recall: Kynkäänniemi et al. (2019), eq. 1 and 2; density and coverage, which are robust to single outliers:
Naeem et al. (2020), eq. 4 and 5.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from vaeline.metrics._entry import Metric, Reference
from vaeline.metrics._images import ImageSet, Measured, Results

METRICS = [
    Metric(
        name,
        group="Images",
        meaning=meaning,
        definition=f"{definition}; the ball of an image reaches to the 5th nearest image of its own kind.",
        better="higher",
        references=(
            Reference(
                f"{name}_ceiling",
                f"The same of as many training images in place of samples, with the labels that samples are asked to show: {meaning}.",
                subject="floor",
                past="better than real images",
            ),
        ),
        data=("images",),
        subject="sample",
    )
    for name, meaning, definition in (
        ("precision", "samples that look like test images", "Share of samples inside the ball of a test image"),
        ("recall", "test images that samples look like", "Share of test images inside the ball of a sample"),
        (
            "density",
            "test images around a sample, 1 where as dense as real ones",
            "Balls of test images around a sample, in units of 5",
        ),
        ("coverage", "test images with a sample nearby", "Share of test images whose ball contains a sample"),
    )
]

NEIGHBOURS = 5
BLOCK = 1000  # images whose distances to all others are in memory at a time


class PrecisionRecall(NamedTuple):
    """Shares of two sets of images; the ball of an image reaches to the k-th nearest of its own set."""

    precision: float  # of drawn images inside the ball of a real one
    recall: float  # of real images inside the ball of a drawn one
    density: float  # mean number of real balls around a drawn image, divided by k; above 1 in dense regions
    coverage: float  # of real images whose ball contains a drawn one


def measure(images: ImageSet, real: ImageSet) -> Results:
    """Precision, recall, density and coverage of images, compared with the test images."""
    found = precision_recall(torch.from_numpy(real.features), torch.from_numpy(images.features))
    how = {"images": len(images.features), "of": len(real.features)}
    return {name: Measured(value, how) for name, value in found._asdict().items()}


def precision_recall(real: Tensor, drawn: Tensor, neighbours: int = NEIGHBOURS) -> PrecisionRecall:
    """Compare two sets of features, (n, dimensions) and (m, dimensions).

    All four depend on the numbers of images: compare systems that drew as many, against the same real ones.

    Raises:
        ValueError: a set has no more images than `neighbours`, or the features of the real one are all the same.
    """
    if min(len(real), len(drawn)) <= neighbours:
        raise ValueError(
            f"{neighbours} neighbours need more images than that, not {len(real)} real and {len(drawn)} drawn"
        )
    real, drawn = real.double(), drawn.double()
    if (real == real[0]).all():
        raise ValueError("the features of all real images are the same")
    real_radius, drawn_radius = _radii(real, neighbours), _radii(drawn, neighbours)
    inside, reached, nearest = [], torch.zeros(len(real), dtype=torch.bool), torch.full((len(real),), torch.inf)
    for some, radius in zip(drawn.split(BLOCK), drawn_radius.split(BLOCK), strict=True):
        distances = torch.cdist(some, real)  # (block, n)
        inside.append((distances <= real_radius).sum(1))
        reached |= (distances <= radius.unsqueeze(1)).any(0)
        nearest = torch.minimum(nearest, distances.amin(0))
    balls = torch.cat(inside).double()  # real balls around each drawn image
    return PrecisionRecall(
        precision=(balls > 0).double().mean().item(),
        recall=reached.double().mean().item(),
        density=balls.mean().item() / neighbours,
        coverage=(nearest <= real_radius).double().mean().item(),
    )


def _radii(features: Tensor, neighbours: int) -> Tensor:
    """From each image to the k-th nearest other one, (n,)."""
    return torch.cat([each.kthvalue(neighbours + 1).values for each in _distances(features)])  # itself is the nearest


def _distances(features: Tensor) -> Iterator[Tensor]:
    for some in features.split(BLOCK):
        yield torch.cdist(some, features)
