"""Intervals match tabulated quantiles."""

from math import sqrt

import pytest

from vaeline.report.intervals import interval


def test_three_values_use_the_tabulated_quantile() -> None:
    mean, half_width, size = interval([1.0, 2.0, 3.0])
    assert (mean, size) == (2.0, 3)
    assert half_width == pytest.approx(4.302652730 / sqrt(3))


def test_a_lower_confidence_narrows_the_interval() -> None:
    assert interval([1.0, 2.0, 3.0], confidence=0.9).half_width == pytest.approx(2.919985580 / sqrt(3))


def test_one_value_has_no_interval() -> None:
    assert interval([5.0]) == (5.0, None, 1)


def test_an_empty_list_of_values_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        interval([])
