"""How much of what is drawn is real, and how much of what is real is drawn, by nearest neighbours in a feature space.

Precision and recall: Kynkaanniemi et al. (2019), eq. 1 and 2; density and coverage, which a lone outlier cannot sway:
Naeem et al. (2020), eq. 4 and 5.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

NEIGHBOURS = 5
BLOCK = 1000  # images whose distances to all others are held at a time


class PrecisionRecall(NamedTuple):
    """Shares of two sets of images; the ball of an image reaches to the k-th nearest of its own set."""

    precision: float  # of drawn images inside the ball of a real one
    recall: float  # of real images inside the ball of a drawn one
    density: float  # real balls that hold a drawn image, on average, in units of k: above 1 where it sits in crowds
    coverage: float  # of real images whose ball holds a drawn one


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
