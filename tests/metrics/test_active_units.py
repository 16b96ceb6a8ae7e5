"""Active units of posteriors whose means vary by a known variance."""

from math import isnan

import pytest
import torch
from torch import Generator

from vaeline.metrics._covariance import covariances
from vaeline.metrics.active_units import active_units


def test_dimensions_that_vary_more_than_a_hundredth_are_active() -> None:
    alternating = torch.tensor([-1.0, 1.0]).repeat(500).unsqueeze(1)
    deviations = torch.tensor([0.0, 0.01, 0.099, 0.101, 1.0])
    assert active_units((alternating * deviations).double().var(0)) == 2


def test_nonfinite_means_do_not_count_as_inactive() -> None:
    assert isnan(active_units(torch.tensor([1.0, torch.nan])))


def test_a_constant_mean_is_not_active() -> None:
    assert active_units(torch.full((100, 4), 50.0).var(0)) == 0


def test_a_small_variance_at_a_large_mean_is_found() -> None:
    mean = 1_000 + 0.2 * torch.randn(10_000, 3, generator=Generator().manual_seed(0))
    assert active_units(mean.double().var(0)) == 3


@pytest.mark.parametrize(("least_variance", "active"), [(0.5, 2), (1.5, 1), (5.0, 0)])
def test_the_caller_sets_the_variance_threshold(least_variance: float, active: int) -> None:
    mean = torch.tensor([-1.0, 1.0]).repeat(500).unsqueeze(1) * torch.tensor([0.1, 1.0, 2.0])
    assert active_units(mean.var(0), least_variance) == active


def test_two_noisy_estimates_share_the_covariance_of_their_means() -> None:
    generator = Generator().manual_seed(0)
    mean = 1_000 + 0.2 * torch.randn(100_000, 2, generator=generator) * torch.tensor([1.0, 0.0])
    first, second = (mean + torch.randn(mean.shape, generator=generator) for _ in range(2))
    assert covariances(first, second).tolist() == pytest.approx([0.04, 0], abs=0.015)
    assert covariances(mean, mean)[0].item() == pytest.approx(mean[:, 0].double().var().item(), rel=1e-6)
