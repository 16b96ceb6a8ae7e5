"""Precision, recall, density and coverage of point clouds made by hand."""

import pytest
import torch
from torch import Tensor

from vaeline.metrics import precision_recall as module
from vaeline.metrics.precision_recall import precision_recall


def grid(offset: float = 0.0) -> Tensor:
    """100 points a step apart, 10 x 10."""
    steps = torch.arange(10.0)
    return torch.cartesian_prod(steps, steps) + offset


def test_a_set_compared_with_itself_scores_one() -> None:
    assert precision_recall(grid(), grid())[:2] == (1, 1) and precision_recall(grid(), grid()).coverage == 1


def test_a_distant_set_scores_zero() -> None:
    assert precision_recall(grid(), grid(1000.0)) == (0, 0, 0, 0)


def test_half_of_the_data_has_full_precision_and_half_recall() -> None:
    real = torch.cat([grid(), grid(1000.0)])
    found = precision_recall(real, grid())
    assert (found.precision, found.recall, found.coverage) == (1, 0.5, 0.5)


def test_extra_samples_halve_precision_and_keep_recall() -> None:
    found = precision_recall(grid(), torch.cat([grid(), grid(1000.0)]))
    assert (found.precision, found.recall, found.coverage) == (0.5, 1, 1)
    assert found.density == pytest.approx(precision_recall(grid(), grid()).density / 2)


def test_an_outlier_raises_precision_but_hardly_density() -> None:
    real = torch.cat([grid(), torch.tensor([[500.0, 500.0]])])
    around = torch.tensor([500.0, 500.0]) + torch.randn(50, 2, generator=torch.Generator().manual_seed(0))
    found = precision_recall(real, around)
    assert found.precision == 1 and found.density == pytest.approx(1 / 5)  # one ball of the five that would be usual
    assert found.coverage == pytest.approx(1 / 101)


def test_points_on_a_line_match_counts_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK", 2)  # rows come in several blocks
    real, drawn = torch.tensor([[0.0], [1.0], [3.0], [10.0]]), torch.tensor([[0.5], [5.0], [18.0]])
    # Radii to the nearest other, real: 1, 1, 2, 7; drawn: 4.5, 4.5, 13. 0.5 is in the balls of 0 and 1 (and of none else),
    # 5 in those of 3 and 10, 18 in none; the balls of the drawn reach 0, 1, 3 (of 0.5) and 10 (of 18).
    found = precision_recall(real, drawn, neighbours=1)
    assert found == pytest.approx((2 / 3, 1, 4 / 3, 1))


def test_two_samples_of_one_distribution_have_a_density_of_one() -> None:
    generator = torch.Generator().manual_seed(1)
    found = precision_recall(torch.randn(3000, 8, generator=generator), torch.randn(3000, 8, generator=generator))
    assert found.density == pytest.approx(1, abs=0.05)
    assert found.coverage == pytest.approx(1 - 0.5**5, abs=0.02)  # Naeem et al., eq. 8: 1 - 2^-k for as many images


@pytest.mark.parametrize(
    ("real", "message"), [(grid()[:5], "not 5 real and 100 drawn"), (torch.ones(100, 2), "are the same")]
)
def test_sets_without_neighbours_or_spread_are_refused(real: Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        precision_recall(real, grid())
