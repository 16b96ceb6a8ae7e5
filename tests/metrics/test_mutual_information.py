"""Mutual information at its extremes and in a linear-Gaussian channel."""

from math import log

import pytest
import torch
from torch import Generator, Tensor

from vaeline.metrics._aggregate_posterior import AggregatePosterior
from vaeline.metrics.mutual_information import MutualInformation, mutual_information


def information(mean: Tensor, log_var: Tensor, count: int = 2_000) -> MutualInformation:
    aggregate = AggregatePosterior(mean, log_var)
    drawn = aggregate.sample(count, Generator().manual_seed(0))
    return mutual_information(drawn.log_q, aggregate.log_prob(drawn.z), len(mean))


def test_separated_posteriors_identify_every_image_and_saturate() -> None:
    mean = 100 * torch.arange(200.0).unsqueeze(1)
    found = information(mean, torch.zeros_like(mean))
    assert found.mutual_information == pytest.approx(log(200), abs=1e-7)
    assert found.log_images == log(200)
    assert found.standard_error < 1e-7
    assert found.saturated


def test_equal_posteriors_have_no_mutual_information() -> None:
    found = information(torch.ones(200, 3), torch.full((200, 3), -2.0))
    assert found.mutual_information == pytest.approx(0.0, abs=1e-12)
    assert not found.saturated


def test_pairs_of_equal_posteriors_identify_the_pair() -> None:
    mean = 100 * torch.arange(40.0).repeat_interleave(2).unsqueeze(1)
    assert information(mean, torch.zeros_like(mean)).mutual_information == pytest.approx(log(40), abs=1e-7)


def test_gaussian_means_and_noise_have_the_capacity_of_their_channel() -> None:
    """Means of variance S under noise of variance 1 carry log(1 + S) / 2 nats."""
    mean = 3 * torch.randn(20_000, 1, generator=Generator().manual_seed(1), dtype=torch.float64)
    found = information(mean, torch.zeros_like(mean), count=5_000)
    known = 0.5 * log(1 + mean.var().item())
    assert abs(found.mutual_information - known) < 4 * found.standard_error
    assert found.standard_error < 0.02
    assert not found.saturated


@pytest.mark.parametrize(("gained", "saturated"), [(log(50) - 1.01, False), (log(50) - 0.99, True)])
def test_within_a_nat_of_log_n_is_saturated(gained: float, saturated: bool) -> None:
    log_q = torch.tensor([gained - 1, gained + 1]).double()
    found = mutual_information(log_q, torch.zeros(2).double(), images=50)
    assert found.saturated is saturated
    assert found.mutual_information == pytest.approx(gained)
    assert found.standard_error == pytest.approx(1.0)
