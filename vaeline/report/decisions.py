"""Whether a paired comparison tells which variant is better, and if not, why."""

from vaeline.evaluation.catalogue import catalogue
from vaeline.report.comparison import Comparison
from vaeline.report.paired_differences import Pair


def better_first(name: str, pair: Pair) -> Pair:
    """The pair turned so that the variant with the better mean difference is first."""
    return pair.turned() if catalogue().metric(name).sign * pair.difference > 0 else pair


def is_decided(comparison: Comparison, name: str, pair: Pair) -> bool:
    """Whether the study claims that one variant of the pair is better."""
    return not why_open(comparison, name, pair)


def why_open(comparison: Comparison, name: str, pair: Pair) -> str:
    """Why the pair decides nothing, as the end of a sentence; empty if the study claims that one variant is better."""
    if cannot := why_unranked(comparison, name, pair):
        return cannot
    if pair.half_width is None:
        return "one seed gives no interval"
    if not pair.half_width:
        return "all seeds agree to the last digit, which gives no interval"
    if not pair.claimed:
        return "the study makes no claim about this pair"
    if not pair.significant:
        return "the interval includes 0"
    return ""


def why_unranked(comparison: Comparison, name: str, pair: Pair) -> str:
    """Why the metric cannot rank the two variants, whatever their difference; empty if it can."""
    results, past = comparison.metrics[name], comparison.unranked(name)
    for variant in (pair.first, pair.second):
        if variant in results.saturated:
            return f"the value of {variant} is saturated"
        if variant in past:
            return f"{variant} is better than real images"
    worse = better_first(name, pair).second
    return f"the value of {worse} is an upper bound" if worse in results.upper_bounds else ""
