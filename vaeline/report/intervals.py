"""Means over seeds with Student's t-intervals, and paired comparisons over common seeds (Student, 1908)."""

from collections.abc import Mapping, Sequence
from math import sqrt
from statistics import fmean, stdev
from typing import NamedTuple

from scipy.special import stdtrit


class Interval(NamedTuple):
    """The mean of `size` values and the half-width of its interval, which is None for a single value."""

    mean: float
    half_width: float | None
    size: int


class Paired(NamedTuple):
    """How much lower one system is than another, over the seeds that both ran."""

    difference: Interval  # of first - second
    won: int  # seeds on which first is the better one
    lost: int


def interval(values: Sequence[float], confidence: float = 0.95) -> Interval:
    """The mean of independent values and its t-interval.

    Raises:
        ValueError: there is no value.
    """
    if not values:
        raise ValueError("an interval needs at least one value")
    count = len(values)
    if count == 1:
        return Interval(values[0], None, 1)
    quantile = float(stdtrit(count - 1, (1 + confidence) / 2))
    return Interval(fmean(values), quantile * stdev(values) / sqrt(count), count)


def paired(
    first: Mapping[int, float], second: Mapping[int, float], higher_is_better: bool = False, confidence: float = 0.95
) -> Paired:
    """Compare two systems on the seeds that both ran; pairs cancel what a seed does to both.

    Args:
        first: figure by seed.
        second: figure by seed of the other system.
        higher_is_better: which sign wins a seed; a tie is won by neither.
        confidence: of the interval of the mean difference.

    Raises:
        ValueError: they have no seed in common.
    """
    differences = [first[seed] - second[seed] for seed in sorted(first.keys() & second.keys())]
    higher, lower = sum(difference > 0 for difference in differences), sum(difference < 0 for difference in differences)
    won, lost = (higher, lower) if higher_is_better else (lower, higher)
    return Paired(interval(differences, confidence), won, lost)
