"""Means over seeds with Student's t-intervals (Student, 1908)."""

from collections.abc import Sequence
from math import sqrt
from statistics import fmean, stdev
from typing import NamedTuple


class Interval(NamedTuple):
    """The mean of `size` values and the half-width of its interval, which is None for a single value."""

    mean: float
    half_width: float | None
    size: int


def interval(values: Sequence[float], confidence: float = 0.95) -> Interval:
    """The mean of independent values and its t-interval.

    Raises:
        ValueError: there is no value.
    """
    # Not above: it loads scipy, which a table printed from comparison.json does without.
    from scipy.special import stdtrit

    if not values:
        raise ValueError("an interval needs at least one value")
    count = len(values)
    if count == 1:
        return Interval(values[0], None, 1)
    quantile = float(stdtrit(count - 1, (1 + confidence) / 2))
    return Interval(fmean(values), quantile * stdev(values) / sqrt(count), count)
