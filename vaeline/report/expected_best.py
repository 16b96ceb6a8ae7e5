"""The score that is expected of the best of n trials (Dodge et al., 2019, "Show Your Work"), in its unbiased form (Tang et al., 2020).

Dodge et al. draw the n trials with replacement from those that were run, which makes the best look worse than it is expected to be.
Here they are drawn without: the mean of the best over all sets of n of the trials.
"""

import math
from collections.abc import Mapping, Sequence


def expected_best(scores: Sequence[float | None]) -> list[float]:
    """The mean of the lowest score over all sets of n trials, for n from 1 to all.

    Args:
        scores: of all trials, lower is better; None for a trial that failed, which counts as worse than any.

    Returns:
        A value for each n; infinite if a set of n trials may consist of failures alone.
    """
    ordered = sorted(math.inf if score is None else score for score in scores)
    return [_mean_of_lowest(ordered, n) for n in range(1, len(ordered) + 1)]


def _mean_of_lowest(ordered: list[float], n: int) -> float:
    sets = math.comb(len(ordered), n)
    lowest = ordered[: len(ordered) - n + 1]  # the others are the lowest of no set
    return sum(score * math.comb(len(ordered) - place, n - 1) for place, score in enumerate(lowest, 1)) / sets


def orders(curves: Mapping[str, Sequence[float]]) -> list[tuple[str, ...]]:
    """The names from best to worst after each number of trials that all curves have with a finite value.

    Args:
        curves: name -> what `expected_best` returns.
    """
    if not curves:
        return []
    shortest = min(map(len, curves.values()))
    found = [{name: curve[n] for name, curve in curves.items()} for n in range(shortest)]
    return [tuple(sorted(at, key=at.__getitem__)) for at in found if all(map(math.isfinite, at.values()))]
