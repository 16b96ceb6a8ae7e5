"""The best linear VAE in closed form, against torch's distributions and scikit-learn's probabilistic PCA."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from torch.distributions import MultivariateNormal, kl_divergence

from vaeline.evaluation.linear_optimum import LinearOptimum, linear_optimum

LATENT = 2


@pytest.fixture
def points() -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(500, LATENT, generator=generator).double()
    return (
        z @ torch.tensor([[2.0, 0, 1, 0, 0], [0, 1.0, 0, 1, 0]]).double() + torch.randn(500, 5, generator=generator) / 2
    )


def test_its_density_and_its_rate_are_those_of_the_model(points: torch.Tensor) -> None:
    best = linear_optimum(points, LATENT)
    of_x = MultivariateNormal(best.mean, best.weights @ best.weights.T + best.variance * torch.eye(5).double())
    assert torch.allclose(best.log_prob(points), of_x.log_prob(points))
    precision = torch.eye(LATENT).double() + best.weights.T @ best.weights / best.variance
    centre = torch.linalg.solve(precision, best.weights.T @ (points[0] - best.mean) / best.variance)
    posterior = MultivariateNormal(centre, precision_matrix=precision)
    prior = MultivariateNormal(torch.zeros(LATENT).double(), torch.eye(LATENT).double())
    assert float(best.rate(points[:1])) == pytest.approx(float(kl_divergence(posterior, prior)))


def test_it_is_the_probabilistic_pca_of_scikit_learn(points: torch.Tensor) -> None:
    """scikit-learn divides by n - 1, so that its points are spread a little more."""
    best, unbiased = linear_optimum(points, LATENT), len(points) / (len(points) - 1)
    theirs = PCA(LATENT).fit(points.numpy())
    ours = (best.weights @ best.weights.T + best.variance * torch.eye(5)).numpy() * unbiased
    assert np.allclose(ours, theirs.get_covariance())


def test_no_model_near_it_is_likelier(points: torch.Tensor) -> None:
    best = linear_optimum(points, LATENT)
    most = best.log_prob(points).mean()
    for change in (0.97, 1.03):
        others = (
            LinearOptimum(best.mean, best.weights * change, best.variance),
            best._replace(variance=best.variance * change),
        )
        assert all(other.log_prob(points).mean() < most for other in others)
