"""The best linear VAE, in closed form: probabilistic PCA (Tipping and Bishop, 1999, section 3.2).

A VAE whose encoder and decoder are linear, with a Gaussian posterior of a diagonal covariance and one trained variance for all
dimensions, has no other stable optimum, and its bound is tight there (Lucas et al., 2019, "Don't Blame the ELBO", theorem 1). So its
log-likelihood, its bound and its rate are known.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from vaeline.metrics._gaussian import LOG_TWO_PI


class LinearOptimum(NamedTuple):
    """p(z) = N(0, I) and p(x|z) = N(weights z + mean, variance I)."""

    mean: Tensor  # (dimensions,)
    weights: Tensor  # (dimensions, latent)
    variance: float

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x) of points, (n, dimensions), in nats, (n,)."""
        eye = torch.eye(len(self.mean), dtype=x.dtype)
        spread = torch.linalg.cholesky(self.weights @ self.weights.T + self.variance * eye)
        whitened = torch.linalg.solve_triangular(spread, (x - self.mean).T, upper=False)
        log_det = 2 * spread.diagonal().log().sum()
        return -0.5 * (whitened.square().sum(0) + log_det + len(self.mean) * LOG_TWO_PI)

    def rate(self, x: Tensor) -> Tensor:
        """KL(p(z|x) || p(z)) of points, (n, dimensions), in nats, (n,)."""
        latent = self.weights.shape[1]
        inner = self.weights.T @ self.weights + self.variance * torch.eye(latent, dtype=x.dtype)
        centre = torch.linalg.solve(inner, self.weights.T @ (x - self.mean).T)  # (latent, n)
        covariance = self.variance * torch.linalg.inv(inner)
        return 0.5 * (covariance.trace() + centre.square().sum(0) - latent - torch.logdet(covariance))


def linear_optimum(x: Tensor, latent: int) -> LinearOptimum:
    """The optimum for training points.

    Args:
        x: (n, dimensions), float64.
        latent: dimensions of z, fewer than those of x.
    """
    mean = x.mean(0)
    values, vectors = torch.linalg.eigh((x - mean).T @ (x - mean) / len(x))
    variance = values[:-latent].mean()
    weights = vectors[:, -latent:] * (values[-latent:] - variance).clamp_min(0).sqrt()
    return LinearOptimum(mean, weights, float(variance))
