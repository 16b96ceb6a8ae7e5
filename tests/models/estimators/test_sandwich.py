"""Bounds of log p(x) from both sides."""

import pytest
import torch

from vaeline.models.estimators.sandwich import gap


def test_a_gap_is_the_mean_over_all_weights_that_an_exact_draw_may_replace() -> None:
    weights, exact = torch.randn(5, 3).double(), torch.randn(2, 3).double()
    each = [
        torch.cat([weights[:out], weights[out + 1 :], one.unsqueeze(0)]).logsumexp(0) - weights.logsumexp(0)
        for out in range(5)
        for one in exact
    ]
    torch.testing.assert_close(gap(weights, exact), torch.stack(each).mean(0))


def test_on_average_the_two_bounds_hold_the_truth_between_them() -> None:
    """The weights of q = N(0, 1.3^2) for p = N(0, 1), whose logarithm of the mean is 0, are exp(w)."""
    q, p = torch.distributions.Normal(0.0, 1.3), torch.distributions.Normal(0.0, 1.0)
    torch.manual_seed(0)
    z, exact = q.sample((4, 100_000)).double(), p.sample((1, 100_000)).double()
    weights, of_exact = (p.log_prob(at) - q.log_prob(at) for at in (z, exact))
    lower = (weights.logsumexp(0) - torch.tensor(4.0).log()).mean()
    upper = lower + gap(weights, of_exact).mean()
    assert lower < -0.01 and upper > 0.01
    # the relative variance of a weight is c, so that each bound is off by about c / 2 K
    c = float((2 * weights).exp().mean() - 1)
    assert float(lower) == pytest.approx(-c / 8, rel=0.3) and float(upper) == pytest.approx(c / 8, rel=0.3)


def test_one_weight_that_holds_everything_can_be_replaced() -> None:
    weights = torch.tensor([[0.0], [-2000.0]]).double()
    found = gap(weights, torch.tensor([[-800.0]]).double())
    assert found.item() == pytest.approx((-800 + 0) / 2)
    assert gap(weights, torch.tensor([[900.0]]).double()).item() == pytest.approx(900)


def test_an_image_without_a_finite_weight_has_no_bound() -> None:
    assert gap(torch.full((4, 1), -torch.inf).double(), torch.zeros(1, 1).double()).item() == torch.inf
