"""Leakage of a wide Gaussian against numerical integration."""

import json
from math import inf, sqrt

import pytest
import torch
from scipy.integrate import quad
from torch import Generator, Tensor
from torch.distributions import Normal

from vaeline.metrics.leakage import METRICS, OUTSKIRTS, THRESHOLDS, leak, leakage_curve

WIDE, PRIOR = (Normal(torch.tensor(0.0).double(), torch.tensor(deviation).double()) for deviation in (2.0, 1.0))


def integral(threshold: float) -> tuple[float, float]:
    """E[log q - log p | log p < threshold] and P(log p < threshold) under q = N(0, 4), p = N(0, 1)."""
    edge = sqrt(-2 * (threshold - PRIOR.log_prob(torch.tensor(0.0)).item()))

    def density(z: float) -> float:
        return WIDE.log_prob(torch.tensor(z)).exp().item()

    def excess(z: float) -> float:
        return density(z) * (WIDE.log_prob(torch.tensor(z)) - PRIOR.log_prob(torch.tensor(z))).item()

    share = 2 * quad(density, edge, inf)[0]
    return 2 * quad(excess, edge, inf)[0] / share, share


def log_probs(count: int) -> tuple[Tensor, Tensor]:
    z = 2 * torch.randn(count, generator=Generator().manual_seed(0), dtype=torch.float64)
    return WIDE.log_prob(z), PRIOR.log_prob(z)


@pytest.mark.parametrize("threshold", [-10.0, -5.0, -1.0])
def test_a_wide_gaussian_leaks_as_integrated(threshold: float) -> None:
    (found,) = leakage_curve(*log_probs(400_000), [threshold])
    leakage, share = integral(threshold)
    assert found.leakage == pytest.approx(leakage, rel=0.01)
    assert found.share == pytest.approx(share, rel=0.02)


def test_the_curve_has_every_threshold_of_the_paper() -> None:
    curve = leakage_curve(*log_probs(100))
    assert [point.threshold for point in curve] == [-90, -80, -70, -60, -50, -40, -30, -20, -10, -5, -1]
    assert tuple(point.threshold for point in curve) == THRESHOLDS


def test_shares_grow_with_the_threshold_and_leakage_falls() -> None:
    curve = leakage_curve(*log_probs(100_000))
    shares = [point.share for point in curve]
    leakages = [point.leakage for point in curve if point.leakage is not None]
    assert len(leakages) >= 4
    assert shares == sorted(shares)
    assert leakages == sorted(leakages, reverse=True)


def test_a_threshold_without_samples_has_null_leakage() -> None:
    curve = leakage_curve(*log_probs(100), [-90.0])
    assert curve == [(-90.0, None, 0.0)]
    assert json.loads(json.dumps(curve, allow_nan=False)) == [[-90.0, None, 0.0]]


def test_a_sample_at_the_threshold_is_not_below_it() -> None:
    log_p = torch.tensor([-7.0, -5.0, -2.0, -6.0]).double()
    log_q = torch.tensor([-3.0, 40.0, 50.0, -4.0]).double()
    assert leakage_curve(log_q, log_p, [-5.0]) == [(-5.0, (4 + 2) / 2, 0.5)]


@pytest.mark.parametrize("deviation", [1.0, 2.0])
def test_the_error_of_a_leak_matches_its_spread(deviation: float) -> None:
    """For a perfect match, most of the error comes from the threshold, a quantile of fifty draws."""
    generator, of_z = Generator().manual_seed(0), Normal(torch.tensor(0.0).double(), torch.tensor(deviation).double())
    found = []
    for _ in range(300):
        z, z_of_prior = torch.randn(2, 5000, generator=generator, dtype=torch.float64)
        z = deviation * z
        found.append(leak(of_z.log_prob(z), PRIOR.log_prob(z), PRIOR.log_prob(z_of_prior)))
    columns = {name: torch.tensor([getattr(each, name) for each in found]) for name in found[0]._fields}
    shares, leakages = columns["share"], columns["leakage"]
    assert columns["share_error"].mean().item() == pytest.approx(shares.std().item(), rel=0.15)
    if deviation == 1.0:
        assert leakages.abs().max() < 1e-12 and columns["leakage_error"].max() < 1e-12
    else:
        assert columns["leakage_error"].mean().item() == pytest.approx(leakages.std().item(), rel=0.25)


def test_one_step_of_the_threshold_counts_whole_where_nothing_lies_below_the_other() -> None:
    """Three samples of excess 1 lie between the lower threshold and the threshold, and three of excess 9 between it and the upper one."""
    log_p_of_prior = torch.linspace(0, 1, 10_001, dtype=torch.float64)
    off = sqrt(OUTSKIRTS * (1 - OUTSKIRTS) / len(log_p_of_prior))
    log_p = torch.tensor([OUTSKIRTS - off / 2] * 3 + [OUTSKIRTS + off / 2] * 3 + [0.5] * 4, dtype=torch.float64)
    found = leak(log_p + torch.tensor([1.0] * 3 + [9.0] * 7, dtype=torch.float64), log_p, log_p_of_prior)
    assert found.leakage == pytest.approx(1.0) and found.leakage_error == pytest.approx(4.0)


def test_too_few_leaks_have_no_error() -> None:
    log_p = torch.arange(100.0).double()
    none = leak(log_p, log_p + 10, log_p)
    assert (none.share, none.leakage, none.leakage_error) == (0, None, None)


def test_the_entries_say_what_counts_as_low() -> None:
    """They are read without the constants of the file, and so hold the number in words."""
    assert all(f"under that of {OUTSKIRTS:.0%} of p's own draws" in metric.definition for metric in METRICS)
    assert METRICS[0].meaning.endswith(f"{OUTSKIRTS} if both match")
