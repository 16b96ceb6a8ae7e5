"""The mutual information gap: whether each factor of the data has one latent dimension of its own (Chen et al., 2018, eq. 6)."""

from typing import NamedTuple

import torch
from torch import Generator, Tensor

from vaeline.metrics.aggregate_posterior import AggregatePosterior

SAMPLES = 2000
NEGLIGIBLE = 1e-9  # of an entropy, nats: the factor has one value


class MutualInformationGap(NamedTuple):
    """What single latent dimensions tell of the factors, in shares of each factor's entropy."""

    mig: float  # mean over factors of the best dimension's share less the second best's
    by_factor: list[float]
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
    shares = _information(mean.cpu(), log_var.cpu(), factors.cpu(), generator, samples) / entropies
    best = shares.topk(2, dim=0).values
    gaps = best[0] - best[1]
    return MutualInformationGap(gaps.mean().item(), gaps.tolist(), shares)


def _entropy(values: Tensor) -> Tensor:
    """Of a column of integers, nats."""
    share = values.unique(return_counts=True)[1].double() / len(values)
    return -(share * share.log()).sum()


def _information(mean: Tensor, log_var: Tensor, factors: Tensor, generator: Generator, samples: int) -> Tensor:
    """I(z_j; v_k), nats, (latent, factors)."""
    rows = torch.randint(len(mean), (samples,), generator=generator)
    noise = torch.randn(samples, mean.shape[1], generator=generator, dtype=mean.dtype)
    z = mean[rows] + (0.5 * log_var[rows]).exp() * noise
    of_dimensions = zip(z.unbind(1), mean.unbind(1), log_var.unbind(1), strict=True)
    return torch.stack([_of_dimension(*each, rows, factors) for each in of_dimensions])


def _of_dimension(z: Tensor, mean: Tensor, log_var: Tensor, rows: Tensor, factors: Tensor) -> Tensor:
    """What one dimension, z of the images `rows`, (samples,), tells of each factor, (factors,)."""
    log_q = _log_density(z, mean, log_var)
    found = []
    for values in factors.unbind(1):
        given = torch.empty_like(log_q)  # log q(z_j|v_k)
        for value in values.unique():
            having = values == value
            drawn = having[rows]
            given[drawn] = _log_density(z[drawn], mean[having], log_var[having])
        found.append((given - log_q).mean())
    return torch.stack(found)


def _log_density(z: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    """Of the equal mixture of Gaussians in one dimension, at none, one or more z."""
    if not len(z):
        return torch.zeros(0, dtype=torch.float64)
    return AggregatePosterior(mean.unsqueeze(1), log_var.unsqueeze(1)).log_prob(z.unsqueeze(1))
