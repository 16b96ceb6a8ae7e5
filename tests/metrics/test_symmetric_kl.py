"""The symmetric KL divergence matches its closed form for Gaussians."""

from math import log

import pytest
import torch
from torch import Generator, Tensor
from torch.distributions import Normal

from vaeline.metrics.symmetric_kl import SymmetricKL, symmetric_kl


def between(q: Normal, p: Normal, count: int, seed: int) -> SymmetricKL:
    generator = Generator().manual_seed(seed)

    def draw(density: Normal) -> Tensor:
        return density.mean + density.stddev * torch.randn(count, generator=generator, dtype=torch.float64)

    of_q, of_p = draw(q), draw(p)
    return symmetric_kl(q.log_prob(of_q), p.log_prob(of_q), q.log_prob(of_p), p.log_prob(of_p))


def gaussian(mean: float, deviation: float) -> Normal:
    return Normal(torch.tensor(mean).double(), torch.tensor(deviation).double())


@pytest.mark.parametrize(("mean", "deviation"), [(0.0, 1.2), (1.0, 1.0), (-2.0, 0.7)])
def test_two_gaussians_have_their_closed_form(mean: float, deviation: float) -> None:
    estimate = between(gaussian(mean, deviation), gaussian(0.0, 1.0), 20_000, seed=0)
    to_prior = 0.5 * (deviation**2 + mean**2 - 1) - log(deviation)
    to_aggregate = 0.5 * ((1 + mean**2) / deviation**2 - 1) + log(deviation)
    assert abs(estimate.skl - (to_prior + to_aggregate)) < 4 * estimate.standard_error
    assert estimate.standard_error < 0.1
    assert estimate.aggregate_to_prior == pytest.approx(to_prior, abs=4 * estimate.standard_error)
    assert estimate.prior_to_aggregate == pytest.approx(to_aggregate, abs=4 * estimate.standard_error)


def test_the_two_directions_sum_to_the_total() -> None:
    estimate = between(gaussian(1.0, 0.5), gaussian(0.0, 1.0), 50, seed=0)
    assert estimate.skl == estimate.aggregate_to_prior + estimate.prior_to_aggregate


def test_a_density_is_at_divergence_zero_from_itself() -> None:
    assert between(gaussian(1.0, 2.0), gaussian(1.0, 2.0), 10, seed=0) == (0.0, 0.0, 0.0, 0.0)


def test_the_reported_error_is_that_of_repeated_estimates() -> None:
    estimates = [between(gaussian(0.5, 1.2), gaussian(0.0, 1.0), 500, seed) for seed in range(400)]
    skl, reported = (torch.tensor(values) for values in list(zip(*estimates, strict=True))[:2])
    assert skl.std().item() == pytest.approx(reported.mean().item(), rel=0.12)


def test_the_two_directions_may_have_different_numbers_of_samples() -> None:
    q, p = gaussian(0.0, 1.0), gaussian(1.0, 1.0)
    of_q, of_p = torch.tensor([0.0, 2.0]).double(), torch.tensor([1.0, 1.0, 2.5]).double()
    estimate = symmetric_kl(q.log_prob(of_q), p.log_prob(of_q), q.log_prob(of_p), p.log_prob(of_p))
    # log q(z) - log p(z) = 0.5 - z: 0.5 and -1.5 in q; 0.5, 0.5 and 2 the other way in p.
    assert estimate == pytest.approx((0.5, (2 / 2 + 0.75 / 3) ** 0.5, -0.5, 1.0))
