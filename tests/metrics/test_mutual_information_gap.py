"""The mutual information gap of latents with known information."""

from math import log

import pytest
import torch
from torch import Generator, Tensor

from vaeline.metrics.mutual_information_gap import mutual_information_gap

FACTORS = torch.cartesian_prod(torch.arange(4), torch.arange(3), torch.arange(50))  # two factors, and a nuisance
NARROW = -6.0  # log-variance: values a unit apart do not overlap


def gap(*columns: Tensor, log_var: float = NARROW) -> float:
    mean = torch.stack(columns, 1).double()
    found = mutual_information_gap(mean, torch.full_like(mean, log_var), FACTORS[:, :2], Generator().manual_seed(0))
    assert found.mig == pytest.approx(sum(found.by_factor) / 2)
    return found.mig


FIRST, SECOND, NOTHING = FACTORS[:, 0], FACTORS[:, 1], torch.zeros(len(FACTORS))


def test_one_dimension_per_factor_gives_the_full_gap() -> None:
    assert gap(FIRST, SECOND, NOTHING) == pytest.approx(1, abs=0.01)


def test_order_sign_and_scale_of_dimensions_do_not_matter() -> None:
    assert gap(NOTHING, -3 * SECOND, 10 - 5 * FIRST) == pytest.approx(1, abs=0.01)


def test_a_factor_encoded_twice_has_no_gap() -> None:
    assert gap(FIRST, FIRST, SECOND, SECOND) == pytest.approx(0, abs=0.01)


def test_uninformative_latents_have_no_gap() -> None:
    assert gap(NOTHING, NOTHING) == pytest.approx(0, abs=0.01)


def test_one_dimension_for_two_factors_has_both_gaps() -> None:
    assert gap(FIRST * 10 + SECOND, NOTHING) == pytest.approx(1, abs=0.01)


def test_half_of_a_factor_gives_half_a_gap() -> None:
    assert gap(FIRST // 2, SECOND) == pytest.approx((log(2) / log(4) + 1) / 2, abs=0.01)


def test_the_second_best_dimension_is_subtracted() -> None:
    assert gap(FIRST, FIRST // 2, SECOND) == pytest.approx((1 - log(2) / log(4) + 1) / 2, abs=0.01)


def test_overlapping_posteriors_match_numerical_integration() -> None:
    factors = torch.cartesian_prod(torch.arange(2), torch.arange(2))
    mean = torch.stack([2.0 * factors[:, 0], torch.zeros(4)], 1)
    found = mutual_information_gap(mean, torch.zeros(4, 2), factors, Generator().manual_seed(0), samples=40_000)
    z = torch.linspace(-8, 10, 20_001).double()
    densities = torch.stack([(-0.5 * (z - at) ** 2).exp() / (2 * torch.pi) ** 0.5 for at in (0.0, 2.0)])
    mixture = densities.mean(0)
    known = (densities * (densities / mixture).log()).sum(1).mean() * (z[1] - z[0])
    assert found.shares[0, 0].item() * log(2) == pytest.approx(known.item(), abs=0.01)
    assert found.shares[0, 1].item() == pytest.approx(0, abs=1e-6)


def test_very_narrow_posteriors_are_marked() -> None:
    generator = Generator().manual_seed(0)
    mean = torch.randn(len(FACTORS), 3, generator=generator).double()  # of nothing but the image's number
    found = mutual_information_gap(mean, torch.full_like(mean, -30.0), FACTORS[:, :2], generator)
    assert found.saturated and found.shares.min() > 0.9
    wide = mutual_information_gap(mean, torch.full_like(mean, 1.0), FACTORS[:, :2], generator)
    assert not wide.saturated and wide.shares.max() < 0.1


def test_information_about_a_nuisance_is_marked() -> None:
    """Dimension 0 encodes its factor only. Dimension 1 encodes a nuisance only, but seems to carry a tenth of the factor."""
    generator = Generator().manual_seed(0)
    factors, nuisance = torch.randint(8, (4_000, 1), generator=generator), torch.rand(4_000, generator=generator)
    mean = torch.stack([factors[:, 0].double(), nuisance.double()], 1)
    log_var = torch.tensor([NARROW, 2 * log(1 / 4_000 * 4)]).double().expand_as(mean)
    found = mutual_information_gap(mean, log_var, factors, generator)
    assert found.shares[1, 0] > 0.05
    assert found.saturated


def test_the_error_is_that_of_repeated_draws() -> None:
    mean = torch.stack([FIRST, SECOND, FIRST // 2], 1).double()
    found = [
        mutual_information_gap(mean, torch.zeros_like(mean), FACTORS[:, :2], Generator().manual_seed(seed), samples=500)
        for seed in range(60)
    ]
    spread = torch.tensor([each.mig for each in found]).std().item()
    assert found[0].standard_error == pytest.approx(spread, rel=0.35)


@pytest.mark.parametrize(
    ("latent", "factors", "message"),
    [(1, FACTORS[:, :2], "needs 2 dimensions"), (3, torch.zeros(len(FACTORS), 1).long(), "same value in all")],
)
def test_inputs_without_a_gap_are_refused(latent: int, factors: Tensor, message: str) -> None:
    mean = torch.zeros(len(FACTORS), latent)
    with pytest.raises(ValueError, match=message):
        mutual_information_gap(mean, mean, factors, Generator())
