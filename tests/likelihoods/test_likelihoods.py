"""Every likelihood, as found on disk, and the two ways in which sigma is found."""

import pytest
import torch
from torch.distributions import Normal

from tests.conftest import every
from vaeline import parts
from vaeline.contracts import Context


def build(name: str, context: Context) -> torch.nn.Module:
    return parts.build("likelihoods", parts.validate("likelihoods", {"name": name}), context)


@every("likelihoods")
def test_in_evaluation_an_image_is_judged_alone(name: str, context: Context) -> None:
    likelihood = build(name, context).eval()
    x, mean = torch.rand(5, 1, 8, 8), torch.rand(5, 1, 8, 8)
    together = likelihood.log_prob(x, mean)
    assert together.shape == (5,)
    torch.testing.assert_close(likelihood.log_prob(x[2:3], mean[2:3])[0], together[2])


@every("likelihoods")
def test_sigma_is_saved(name: str, context: Context) -> None:
    assert "sigma" in build(name, context).state_dict()


def test_unit_gaussian_is_the_normal_density(context: Context) -> None:
    x, mean = torch.randn(3, 1, 8, 8), torch.randn(3, 1, 8, 8)
    expected = Normal(mean, 1.0).log_prob(x).sum((1, 2, 3))
    torch.testing.assert_close(build("unit_gaussian", context).log_prob(x, mean), expected)


def test_optimal_sigma_in_training_is_the_best_for_the_batch(context: Context) -> None:
    x, mean = torch.randn(6, 1, 8, 8), torch.randn(6, 1, 8, 8)
    best = build("optimal_sigma", context).train().log_prob(x, mean).sum()
    root = (x - mean).square().mean().sqrt()
    torch.testing.assert_close(best, Normal(mean, root).log_prob(x).sum())
    for factor in (0.9, 1.1):
        assert best > Normal(mean, factor * root).log_prob(x).sum()


def test_optimal_sigma_in_evaluation_is_the_calibrated_one(context: Context) -> None:
    likelihood = build("optimal_sigma", context).eval()
    likelihood.calibrate(0.25)
    x, mean = torch.randn(3, 1, 8, 8), torch.randn(3, 1, 8, 8)
    torch.testing.assert_close(likelihood.log_prob(x, mean), Normal(mean, 0.5).log_prob(x).sum((1, 2, 3)))


def test_a_perfect_batch_stays_finite(context: Context) -> None:
    x = torch.rand(2, 1, 8, 8)
    assert build("optimal_sigma", context).train().log_prob(x, x).isfinite().all()


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_the_gradient_of_optimal_sigma_is_the_squared_errors_over_the_variance(context: Context, factor: float) -> None:
    x, mean = torch.zeros(2, 1, 8, 8), torch.full((2, 1, 8, 8), factor, requires_grad=True)
    build("optimal_sigma", context).train().log_prob(x, mean).sum().backward()
    torch.testing.assert_close(mean.grad, torch.full((2, 1, 8, 8), -1 / factor))
