"""Intervals against tabulated quantiles."""

from math import sqrt

import pytest

from vaeline.report.intervals import interval, paired


def test_three_values_use_the_tabulated_quantile() -> None:
    mean, half_width, size = interval([1.0, 2.0, 3.0])
    assert (mean, size) == (2.0, 3)
    assert half_width == pytest.approx(4.302652730 / sqrt(3))


def test_a_lower_confidence_narrows_the_interval() -> None:
    assert interval([1.0, 2.0, 3.0], confidence=0.9).half_width == pytest.approx(2.919985580 / sqrt(3))


def test_one_value_has_no_interval() -> None:
    assert interval([5.0]) == (5.0, None, 1)


def test_no_value_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        interval([])


def test_a_comparison_pairs_the_common_seeds() -> None:
    first = {0: 10.0, 1: 110.0, 2: 1.0, 7: -99.0}
    second = {0: 12.0, 1: 113.0, 2: 2.0, 8: 99.0}
    difference, won, lost = paired(first, second)
    assert difference.mean == pytest.approx(-2.0)
    assert difference.half_width == pytest.approx(4.302652730 / sqrt(3))
    assert (difference.size, won, lost) == (3, 3, 0)


def test_a_tie_is_won_by_neither() -> None:
    first, second = {0: 1.0, 1: 2.0, 2: 3.0}, {0: 1.0, 1: 1.0, 2: 4.0}
    assert paired(first, second).won == 1
    assert paired(second, first).won == 1


def test_where_higher_is_better_the_higher_wins() -> None:
    assert paired({0: 0.9, 1: 0.8}, {0: 0.5, 1: 0.6}, higher_is_better=True).won == 2


def test_systems_without_a_common_seed_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        paired({0: 1.0}, {1: 1.0})
