"""Which pairs of variants a comparison holds: all claims, and a number that grows as the variants do, not as their square.

The others are computed when somebody asks for them: `vaeline.differences` reads the runs.
"""

from collections.abc import Sequence
from itertools import combinations, pairwise

from vaeline.metrics._entry import Metric
from vaeline.report.comparison import MetricResults

ALL_PAIRS = 6  # variants of which every pair is kept, and shown
Names = tuple[str, str]


def shown(ranking: Sequence[str]) -> list[Names]:
    """The pairs that the page shows: every two variants; of many, the best against each other one, and each against the next."""
    if len(ranking) <= ALL_PAIRS:
        return list(combinations(ranking, 2))
    return list(dict.fromkeys([*_with(ranking[0], ranking), *pairwise(ranking)]))


def kept(results: MetricResults, metric: Metric, primary: bool, baseline: str | None) -> list[Names]:
    """The pairs that are kept of one metric, among the variants that it ranks and whose measures are the same.

    Args:
        results: of the metric, without pairs.
        metric: its entry in the catalogue.
        primary: whether it decides the study: then its pairs are claims, with the baseline if there is one, or else all.
        baseline: of the study.

    Returns:
        Pairs in the order of the variants.
    """
    rankings: dict[str | None, list[str]] = {}
    for variant in results.ranking(metric):
        rankings.setdefault(results.measures.get(variant), []).append(variant)
    chosen = {frozenset(two) for ranking in rankings.values() for two in _of_measure(ranking, primary, baseline)}
    return [two for two in combinations(results.ranked, 2) if frozenset(two) in chosen]


def _of_measure(ranking: Sequence[str], primary: bool, baseline: str | None) -> list[Names]:
    if len(ranking) <= ALL_PAIRS or (primary and baseline is None):
        return list(combinations(ranking, 2))
    with_baseline = _with(baseline, ranking) if baseline in ranking else []
    return [*(shown(ranking) if primary else _with(ranking[0], ranking)), *with_baseline]


def _with(one: str | None, others: Sequence[str]) -> list[Names]:
    return [(one, other) for other in others if one and other != one]
