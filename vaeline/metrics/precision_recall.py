"""Precision, recall, density and coverage of images, by nearest neighbours in a feature space.

Precision and recall: Kynkäänniemi et al. (2019), eq. 1 and 2; density and coverage, which are robust to single outliers:
Naeem et al. (2020), eq. 4 and 5.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vaeline.metrics._entry import Metric, Reference
from vaeline.metrics._images import ImageSet, Measured, Parts, Results

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
NEAREST = 40  # images among which the neighbours in a half are looked for first; all others are, if these are too few
BLOCK = 1000  # images whose distances to all others are in memory at a time


class PrecisionRecall(NamedTuple):
    """Shares of two sets of images; the ball of an image reaches to the k-th nearest of its own set."""

    precision: float  # of drawn images inside the ball of a real one
    recall: float  # of real images inside the ball of a drawn one
    density: float  # mean number of real balls around a drawn image, divided by k; above 1 in dense regions
    coverage: float  # of real images whose ball contains a drawn one


def measure(images: ImageSet, real: ImageSet) -> Results:
    """Precision, recall, density and coverage of images, compared with the test images."""
    [found] = measure_parts(images, real, [(np.ones(len(images.features), bool), np.ones(len(real.features), bool))])
    return found


def measure_parts(images: ImageSet, real: ImageSet, parts: Parts) -> list[Results]:
    """`measure` of parts of the images: each distance is computed once for all parts."""
    # (parts, m), (parts, n)
    of_drawn, of_real = (torch.from_numpy(np.stack(each)) for each in zip(*parts, strict=True))
    found = of_parts(torch.from_numpy(real.features), torch.from_numpy(images.features), of_real, of_drawn)
    hows = [{"images": int(drawn.sum()), "of": int(tested.sum())} for drawn, tested in parts]
    return [
        {name: Measured(value, how) for name, value in each._asdict().items()}
        for each, how in zip(found, hows, strict=True)
    ]


def precision_recall(real: Tensor, drawn: Tensor, neighbours: int = NEIGHBOURS) -> PrecisionRecall:
    """Compare two sets of features, (n, dimensions) and (m, dimensions).

    All four depend on the numbers of images: compare systems that drew as many, against the same real ones.

    Raises:
        ValueError: a set has no more images than `neighbours`, or the features of the real one are all the same.
    """
    of_real, of_drawn = (torch.ones(1, len(each), dtype=torch.bool) for each in (real, drawn))
    [found] = of_parts(real, drawn, of_real, of_drawn, neighbours)
    return found


def of_parts(
    real: Tensor, drawn: Tensor, of_real: Tensor, of_drawn: Tensor, neighbours: int = NEIGHBOURS
) -> list[PrecisionRecall]:
    """Compare parts of two sets of features; each distance is computed once for all parts.

    Args:
        real: (n, dimensions).
        drawn: (m, dimensions).
        of_real: whether each real image is in each part, bool, (parts, n).
        of_drawn: the same of the drawn images, (parts, m).
        neighbours: the ball of an image reaches to so many of its own part.

    Raises:
        ValueError: as in `precision_recall`.
    """
    real, drawn = real.double(), drawn.double()
    for chosen, count in zip(of_real, of_drawn.sum(1).tolist(), strict=True):
        _require(real[chosen], count, neighbours)
    radii, drawn_radii = _radii(real, of_real, neighbours), _radii(drawn, of_drawn, neighbours)
    balls = torch.zeros(of_drawn.shape, dtype=torch.float64)  # real balls around each drawn image
    reached, covered = torch.zeros_like(of_real), torch.zeros_like(of_real)
    for block in _blocks(len(drawn)):
        distances = torch.cdist(drawn[block], real)
        for part, chosen in enumerate(of_drawn[:, block]):
            some = distances[chosen]
            inside = some <= radii[part]
            balls[part, block][chosen] = inside.sum(1).double()
            covered[part] |= inside.any(0)
            reached[part] |= (some <= drawn_radii[part, block][chosen].unsqueeze(1)).any(0)
    n, m = of_real.sum(1).double(), of_drawn.sum(1).double()  # whole numbers would divide in single precision
    shares = (balls > 0).sum(1) / m, (reached & of_real).sum(1) / n, balls.sum(1) / m / neighbours, covered.sum(1) / n
    return [PrecisionRecall(*values) for values in zip(*(share.tolist() for share in shares), strict=True)]


def _require(real: Tensor, drawn: int, neighbours: int) -> None:
    if min(len(real), drawn) <= neighbours:
        raise ValueError(f"{neighbours} neighbours need more images than that, not {len(real)} real and {drawn} drawn")
    if (real == real[0]).all():
        raise ValueError("the features of all real images are the same")


def _radii(features: Tensor, parts: Tensor, neighbours: int) -> Tensor:
    """From each image to the k-th nearest other one of its part; -1 for images that are not in it: (parts, n)."""
    radii = features.new_full(parts.shape, -1.0)
    for block in _blocks(len(features)):
        distances = torch.cdist(features[block], features)
        near = distances.topk(min(NEAREST, len(features)), largest=False)
        for radius, chosen in zip(radii[:, block], parts, strict=True):
            rows = chosen[block].nonzero().squeeze(1)
            place = (chosen[near.indices[rows]].cumsum(1) <= neighbours).sum(1)  # each image itself is the nearest
            known = place < near.values.shape[1]
            radius[rows[known]] = near.values[rows[known], place[known]]
            if len(far := rows[~known]):
                radius[far] = distances[far][:, chosen].kthvalue(neighbours + 1).values
    return radii


def _blocks(count: int) -> Iterator[slice]:
    return (slice(start, min(start + BLOCK, count)) for start in range(0, count, BLOCK))
