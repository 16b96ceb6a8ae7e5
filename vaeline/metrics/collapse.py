"""Whether a model uses its latents, or its posterior has collapsed to the prior (Lucas et al., 2019, "Don't Blame the ELBO!").

The thresholds are those of the linear VAE, whose optimum is known: with eigenvalues l_j of the data's covariance and variance s^2 of a
pixel, dimension j is in use if and only if l_j > s^2. Then the image decides 1 - s^2 / l_j of the variance of z_j, the rate of z_j is
log(l_j / s^2) / 2 nats, and z_j of another image costs l_j / s^2 - 1 nats.
"""

from math import sqrt
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from vaeline.metrics._entry import Metric

METRICS = [
    Metric(
        "posterior",
        group="The models",
        meaning="whether latents say anything about the image",
        definition="Share in use: of the dimensions of z, those of whose variance the image decides more than 1%, beyond its labels; of a "
        "codebook, the vectors that an image is encoded as. 0 if the decoder makes no use of z.",
    ),
    Metric(
        "shuffle_loss",
        group="Latent space",
        meaning="what z of another image costs the likelihood",
        definition="Mean of log p(x|z) - log p(x|z'), nats, z ~ q of the image, z' ~ q of another image, which has the same labels if the "
        "model is given any.",
        unit="nats",
        standard_error="over images",
    ),
]

# At this share, active units agree: a dimension of variance 1 of whose variance the image decides 1% has means of variance 0.01.
LEAST_SHARE = 0.01
LEAST_LOSS = 0.01  # nats: what the weakest such dimension of a linear VAE loses, 0.01 / (1 - 0.01)

Word = Literal["collapsed", "partly", "in use"]


class Use(NamedTuple):
    """How much of its latents a model uses."""

    verdict: Word
    in_use: int  # dimensions, or vectors of a codebook
    of_units: int
    cause: str  # of a collapse, empty if there is none

    @property
    def share(self) -> float:
        """Of the units in use, 0 to 1."""
        return self.in_use / self.of_units


class Loss(NamedTuple):
    """The mean over images of what z of another image costs, nats, and its standard error."""

    value: float
    standard_error: float

    @property
    def is_none(self) -> bool:
        """Whether the decoder makes no use of z: the loss is surely less than that of the weakest dimension in use."""
        return self.value + 2 * self.standard_error <= LEAST_LOSS


def decided_share(between: Tensor, within: Tensor) -> Tensor:
    """The share of the variance of each dimension of z that the image decides; 0 of a dimension that is constant.

    Args:
        between: variance of the posterior means over images, (latent,).
        within: mean variance of the posteriors, (latent,).
    """
    total = between + within
    return torch.where(total == 0, 0.0, between / total)


def shuffle_loss(losses: Tensor, given: Tensor) -> Loss:
    """The mean of what z of another image costs.

    An image enters as the one that is decoded and as the one whose z others get, so that the error is that of the sum of both, as of
    a U-statistic.

    Args:
        losses: of each image, from z of others, (images,), nats; 2 images or more.
        given: of the images that got its z, (images,), nats.
    """
    both = losses.double() + given.double()
    return Loss(losses.double().mean().item(), both.std().item() / sqrt(len(both)))


def use_of_dimensions(share: Tensor, loss: Loss) -> Use | None:
    """How many dimensions are in use, given `decided_share`, (latent,); None if it is not finite."""
    if not share.isfinite().all():
        return None
    return _use(
        int((share > LEAST_SHARE).sum()),
        len(share),
        loss,
        "the posterior hardly depends on the image",
    )


def use_of_codes(indices: Tensor, size: int, loss: Loss) -> Use:
    """How many vectors of a codebook of `size` are in use, given indices of any shape. One vector for all images says nothing of them."""
    found = len(indices.unique())
    return _use(found if found > 1 else 0, size, loss, "all images are encoded as one vector")


def _use(in_use: int, of_units: int, loss: Loss, why_none: str) -> Use:
    if loss.is_none and in_use:
        return Use("collapsed", 0, of_units, "the decoder makes no use of z")
    if not in_use:
        return Use("collapsed", 0, of_units, why_none)
    return Use("in use" if in_use == of_units else "partly", in_use, of_units, "")
