"""Low-posterior samples are the prior's draws farthest from every posterior."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Generator

from vaeline.metrics._aggregate_posterior import AggregatePosterior
from vaeline.models.low_posterior import high_posterior, lowest


def test_the_farthest_draws_are_picked_farthest_first() -> None:
    z = torch.randn(200, 2, generator=Generator().manual_seed(0))
    log_q = AggregatePosterior(torch.zeros(1, 2), torch.zeros(1, 2)).log_prob(z)
    farthest = z.square().sum(1).argsort(descending=True)[:20]
    assert lowest(log_q, 20).tolist() == farthest.tolist()


def test_draws_in_a_pocket_between_posteriors_are_picked() -> None:
    posteriors = torch.tensor([[-2.0], [2.0]])
    z = torch.tensor([2.1, -2.0, 0.1, 1.9, -1.8, 2.3, -2.2, -0.2, 1.7, 2.0]).repeat(2).unsqueeze(1)
    log_q = AggregatePosterior(posteriors, torch.full((2, 1), -4.0)).log_prob(z)
    assert lowest(log_q, 2).tolist() == [2, 12]


def test_equal_densities_keep_their_order() -> None:
    log_q = torch.zeros(1_000).double()
    log_q[[700, 300]] = -1.0
    assert lowest(log_q, 100).tolist() == [300, 700, *range(98)]


def test_draws_of_nan_density_are_refused() -> None:
    log_q = torch.zeros(20).double()
    log_q[3] = torch.nan
    with pytest.raises(ValueError, match="the density of 1 of 20 draws is unknown"):
        lowest(log_q, 2)


def test_another_number_of_draws_is_refused() -> None:
    with pytest.raises(ValueError, match="3 is not 0.1 of 20 draws; give 30 draws"):
        lowest(torch.zeros(20), 3)


def test_a_density_that_samples_do_not_follow_is_not_computed() -> None:
    def fail(*_: object) -> None:
        raise AssertionError

    model: Any = SimpleNamespace(latent_density=SimpleNamespace(samples_differ="guided", log_prob=fail))
    assert high_posterior(model, torch.zeros(10, 1), torch.zeros(10, 1)) is None
