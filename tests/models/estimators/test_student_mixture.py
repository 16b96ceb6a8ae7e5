"""Mixtures of Student t's against their own densities."""

import pytest
import torch

from vaeline.models.estimators.student_mixture import StudentMixture


def test_a_mode_counts_by_its_height_times_its_width() -> None:
    """Two modes, one as high as the other and ten times as wide in each of two dimensions."""
    curvature = torch.eye(2) * torch.tensor([1.0, 100.0]).view(2, 1, 1, 1)
    mixture = StudentMixture.around(torch.zeros(2, 1, 2), torch.zeros(2, 1).double(), curvature)
    torch.testing.assert_close(mixture.log_weight.exp().flatten(), torch.tensor([100 / 101, 1 / 101]).double())


def test_a_mixture_of_students_integrates_to_one() -> None:
    centre = torch.tensor([[[-2.0]], [[3.0]]])
    factor = torch.tensor([[[[2.0]]], [[[0.7]]]])
    weights = torch.tensor([[0.3], [0.7]], dtype=torch.float64).log()
    mixture = StudentMixture(centre, factor, weights)
    z = torch.linspace(-40, 40, 40_001).view(-1, 1, 1)
    assert mixture.log_prob(z).exp().sum().item() * 80 / 40_000 == pytest.approx(1, abs=1e-3)
    torch.manual_seed(0)
    drawn = mixture.sample(20_000).flatten()
    assert (drawn < 0).double().mean().item() == pytest.approx(0.3 + 0.7 * 0.02, abs=0.03)


def test_the_gradient_of_a_mixture_is_that_of_its_density() -> None:
    torch.manual_seed(1)
    factor = torch.randn(2, 3, 4, 4).tril() + 3 * torch.eye(4)
    weight = torch.tensor([[0.3, 1.0, 0.5], [0.7, 0.0, 0.5]]).double().log()
    mixture = StudentMixture(torch.randn(2, 3, 4), factor, weight)
    z = torch.randn(5, 3, 4, requires_grad=True)
    log_prob, gradient = mixture.log_prob_and_gradient(z)
    torch.testing.assert_close(log_prob, mixture.log_prob(z))
    torch.testing.assert_close(gradient, torch.autograd.grad(log_prob.sum(), z)[0])


def test_samples_of_a_student_have_its_covariance() -> None:
    torch.manual_seed(0)
    root = torch.randn(3, 3)
    curvature = root @ root.T + torch.eye(3)
    mixture = StudentMixture.around(torch.zeros(1, 1, 3), torch.zeros(1, 1).double(), curvature.view(1, 1, 3, 3))
    drawn = mixture.sample(50_000).squeeze(1)
    expected = torch.linalg.inv(curvature) * 20 / 18
    torch.testing.assert_close(drawn.T.cov(), expected, atol=0.02, rtol=0.05)
