"""The mutual information gap: whether each factor of the data has one latent dimension of its own (Chen et al., 2018a, eq. 6)."""

from math import log, sqrt
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from vaeline.metrics._aggregate_posterior import AggregatePosterior
from vaeline.metrics._entry import Metric
from vaeline.metrics._gaussian import log_prob_each_dimension

METRICS = [
    Metric(
        "mig",
        group="Representation",
        meaning="factors that have a latent dimension of their own",
        definition="Mean over factors of the gap between the two dimensions that tell most of it, in shares of its entropy.",
        better="higher",
        standard_error="over its samples",
    )
]

SAMPLES = 2000
NEGLIGIBLE = 1e-9  # of an entropy, nats: the factor has one value

# I(z_j; x) must stay this many nats below the log of the number of images that share a factor's value. Otherwise few
# posteriors overlap at a z, and a dimension seems informative about every factor.
MARGIN = 2.5


class MutualInformationGap(NamedTuple):
    """What single latent dimensions tell of the factors, in shares of each factor's entropy."""

    mig: float  # mean over factors of the best dimension's share less the second best's
    by_factor: list[float]
    standard_error: float  # of mig, over the samples
    saturated: bool  # whether a dimension's posteriors hardly overlap: then it seems to tell something of every factor
    shares: Tensor  # I(z_j; v_k) / H(v_k), (latent, factors), float64


def mutual_information_gap(
    mean: Tensor, log_var: Tensor, factors: Tensor, generator: Generator, samples: int = SAMPLES
) -> MutualInformationGap:
    """Estimate I(z_j; v_k) = E log q(z_j|v_k) - log q(z_j), both mixtures of the Gaussian posteriors of the images.

    Args:
        mean: of each image's posterior, (images, latent), 2 dimensions or more.
        log_var: logarithms of their variances, the same shape.
        factors: values of each image, integers (images, factors), of factors that are independent in the data.
        generator: of the CPU, for z.
        samples: of z, each under the posterior of an image drawn at random.

    Raises:
        ValueError: the latent has one dimension, or a factor one value.
    """
    if mean.shape[1] < 2:
        raise ValueError("a gap between the best dimension and the second best needs 2 dimensions, not 1")
    entropies = torch.stack([_entropy(column) for column in factors.cpu().unbind(1)])
    if (entropies < NEGLIGIBLE).any():
        raise ValueError("a factor has the same value in all images")
    most_values = max(len(column.unique()) for column in factors.unbind(1))
    terms, of_images = _terms(mean.cpu(), log_var.cpu(), factors.cpu(), generator, samples)
    shares = terms.mean(1) / entropies  # (latent, factors)
    best = shares.topk(2, dim=0)
    gaps = best.values[0] - best.values[1]
    first, second = (terms.gather(0, rows.expand(1, samples, -1)).squeeze(0) for rows in best.indices)
    of_samples = ((first - second) / entropies).mean(1)  # whose mean is the gap
    return MutualInformationGap(
        mig=gaps.mean().item(),
        by_factor=gaps.tolist(),
        standard_error=of_samples.std().item() / sqrt(samples),
        saturated=bool(of_images.max() > log(len(mean) / most_values) - MARGIN),
        shares=shares,
    )


def _entropy(values: Tensor) -> Tensor:
    """Of a column of integers, nats."""
    share = values.unique(return_counts=True)[1].double() / len(values)
    return -(share * share.log()).sum()


def _terms(mean: Tensor, log_var: Tensor, factors: Tensor, generator: Generator, samples: int) -> tuple[Tensor, Tensor]:
    """log q(z_j|v_k) - log q(z_j) of each sample, nats, (latent, samples, factors), and I(z_j; x), (latent,)."""
    rows = torch.randint(len(mean), (samples,), generator=generator)
    noise = torch.randn(samples, mean.shape[1], generator=generator, dtype=mean.dtype)
    z = mean[rows] + (0.5 * log_var[rows]).exp() * noise
    terms, of_images = [], []
    for column in zip(z.unbind(1), mean.unbind(1), log_var.unbind(1), strict=True):
        log_q = _log_density(*column)
        own = log_prob_each_dimension(column[0], column[1][rows].double(), column[2][rows].double())
        terms.append(_given_factors(*column, rows, factors) - log_q.unsqueeze(1))
        of_images.append((own - log_q).mean())
    return torch.stack(terms), torch.stack(of_images)


def _given_factors(z: Tensor, mean: Tensor, log_var: Tensor, rows: Tensor, factors: Tensor) -> Tensor:
    """log q(z_j|v_k) of one dimension, z of the images `rows`, (samples,), for each factor: float64, (samples, factors)."""
    found = torch.empty(len(z), factors.shape[1], dtype=torch.float64)
    for column, values in enumerate(factors.unbind(1)):
        for value in values.unique():
            having = values == value
            drawn = having[rows]
            found[drawn, column] = _log_density(z[drawn], mean[having], log_var[having])
    return found


def _log_density(z: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    """Of the equal mixture of Gaussians in one dimension, at none, one or more z."""
    if not len(z):
        return torch.zeros(0, dtype=torch.float64)
    return AggregatePosterior(mean.unsqueeze(1), log_var.unsqueeze(1)).log_prob(z.unsqueeze(1))
