"""Which comparisons of a study are claims: those of its primary metrics, adjusted together so that few studies claim anything false.

All other comparisons are exploratory: their intervals are shown, and nothing is called better by them.
"""

from collections.abc import Mapping, Sequence

from vaeline.report.comparison import MetricResults
from vaeline.report.estimates import holm
from vaeline.report.paired_differences import Pair
from vaeline.study.schema import StudySection

# The metrics that decide a study which names none, fairest first: the first that can compare all variants, or else most of them.
LIKELIHOOD = ("nll_given_label_refit", "nll_refit", "nll_given_label", "nll", "negative_elbo")
SAMPLES = ("fid_sample", "fd_sample")
LEVEL = 0.05  # the share of studies that may claim anything false, in all their looks together
# The metric that takes the place of a Fréchet distance whose runs warn that it is biased.
UNBIASED = {"fid_sample": "kid_sample", "fd_sample": "kd_sample"}


def primary(study: StudySection, metrics: Mapping[str, MetricResults]) -> list[str]:
    """The metrics that decide a study, in order; those of which no two variants have comparable values are left out."""
    if study.primary is not None:
        return [name for name in study.primary if name in metrics and metrics[name].comparable > 1]
    return [name for question in (LIKELIHOOD, SAMPLES) if (name := chosen(question, metrics))]


def undecided(study: StudySection, metrics: Mapping[str, MetricResults]) -> list[str]:
    """The metrics that the study names as primary, and of which no two variants have comparable values."""
    return [name for name in study.primary or () if name not in primary(study, metrics)]


def level_of(looks: Sequence[int] | None) -> float:
    """The share of studies that may claim anything false in one report: a look's equal part of the level (Bonferroni)."""
    return LEVEL / len(looks or [1])


def chosen(question: Sequence[str], metrics: Mapping[str, MetricResults]) -> str | None:
    """The metric that answers a question: the one in which most variants can be compared, the earlier one if several can; None if no two can."""
    comparable = {name: metrics[name].comparable if name in metrics else 0 for name in question}
    best = max(question, key=comparable.__getitem__)
    if comparable[best] < 2:
        return None
    other = UNBIASED.get(best)
    replaced = other is not None and other in metrics and metrics[other].comparable > 1 and metrics[best].warnings
    return other if replaced else best


def claimed(metrics: Mapping[str, MetricResults], names: Sequence[str], baseline: str | None) -> list[tuple[str, int]]:
    """The comparisons that are claims: those of primary metrics that have an interval, with the baseline if there is one.

    Returns:
        The name of the metric and the place among its pairs, of each claim.
    """
    return [
        (name, place)
        for name in names
        for place, pair in enumerate(metrics[name].pairs)
        if pair.p_value is not None and (baseline is None or baseline in (pair.first, pair.second))
    ]


def adjusted(
    metrics: Mapping[str, MetricResults], names: Sequence[str], baseline: str | None, level: float = LEVEL
) -> dict[str, MetricResults]:
    """The primary metrics with their pairs adjusted together by Holm's method.

    Args:
        metrics: of the study.
        names: of the primary metrics.
        baseline: the variant whose pairs are claims; None: all pairs are.
        level: the share of studies that may claim anything false.
    """
    places = claimed(metrics, names, baseline)
    p_values = [metrics[name].pairs[place].p_value or 0.0 for name, place in places]
    levels = dict(zip(places, holm(p_values, level), strict=True))
    found = {}
    for name in names:
        pairs = [
            _claim(pair, levels[name, place]) if (name, place) in levels else pair
            for place, pair in enumerate(metrics[name].pairs)
        ]
        found[name] = metrics[name].model_copy(update={"pairs": pairs})
    return found


def _claim(pair: Pair, level: float) -> Pair:
    return pair.at_level(level).model_copy(update={"claimed": True})
