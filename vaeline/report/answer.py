"""What a study answers, in sentences made from its paired comparisons."""

from itertools import pairwise

from vaeline.evaluation.catalogue import catalogue
from vaeline.report.comparison import Comparison, MetricResults
from vaeline.report.decisions import better_first
from vaeline.report.paired_differences import Pair
from vaeline.report.table import number, scale
from vaeline.report.words import amount


def about_claims(comparison: Comparison) -> list[str]:
    """What to know before the claims are read."""
    found = []
    if comparison.missing:
        found.append("Runs are missing: what this report says is a preview, and no claim of the study.")
    elif comparison.looks:
        found.append(_look(comparison, comparison.looks))
    if len(comparison.variants) == 1:
        return [*found, "The study has one variant, so that there is nothing to compare."]
    found += [
        f"No two variants have comparable values of {name}, so it decides nothing." for name in comparison.undecided
    ]
    return found


def _look(comparison: Comparison, looks: list[int]) -> str:
    place, at = looks.index(len(comparison.seeds)) + 1, ", ".join(map(str, looks))
    share = f"at most {100 * comparison.level:.3g}% of studies claim anything false at this look"
    return f"This is look {place} of {len(looks)}, which are at {at} seeds: {share}."


def sentences(comparison: Comparison, name: str, called: str | None = None) -> list[str]:
    """Compare each variant with the next one in the ranking of a metric, best first.

    With a baseline, each other variant is compared with it. If variants have different measures of one name, such as a density and a
    probability, each measure has its own ranking. `called` stands for the metric in the sentences, in place of its name.
    """
    called = called or name
    results, past = comparison.metrics[name], comparison.unranked(name)
    found = [_saturated(called, results.saturated)] if results.saturated else []
    found += [_better_than_real(comparison, name, called)] if past else []
    found += [f"{variant} is not ranked in {called}: {why}." for variant, why in results.descriptive.items()]
    unranked = {*results.saturated, *past}
    parts = results.alike().values()
    return found + [each for part in parts for each in _of_measure(name, called, part, unranked, comparison.baseline)]


def _of_measure(name: str, called: str, results: MetricResults, unranked: set[str], baseline: str | None) -> list[str]:
    ranked = [variant for variant in results.ranking(catalogue().metric(name)) if variant not in unranked]
    if len(ranked) > 1 and results.pairs and all(pair.half_width is None for pair in results.pairs):
        return [_without_interval(called, results, ranked)]
    if baseline is None:
        return [_compared(name, called, results, first, second) for first, second in pairwise(ranked)]
    if baseline in unranked:
        return [f"The baseline {baseline} is not ranked in {called}, so nothing is compared with it."]
    return [
        _compared(name, called, results, other, baseline)
        for other in ranked
        if other != baseline and baseline in ranked
    ]


def _saturated(called: str, variants: list[str]) -> str:
    return f"{', '.join(variants)} cannot be ranked in {called}, which is saturated."


def _better_than_real(comparison: Comparison, name: str, called: str) -> str:
    past = comparison.past(name, "better than real images")
    ceiling = scale(comparison.references[next(iter(past.values())).name])
    score = f"score better than real images, {ceiling}, in {called}, and are not ranked"
    return f"These variants {score}: {', '.join(past)}."


def _without_interval(called: str, results: MetricResults, ranked: list[str]) -> str:
    """The order of the variants, if no two share more than one seed."""
    values = [
        f"{variant} {'<= ' if variant in results.upper_bounds else ''}{number(results.summaries[variant].mean)}"
        for variant in ranked
    ]
    return f"One seed gives no interval and no verdict. In order of {called}, best first: {', '.join(values)}."


def _compared(name: str, called: str, results: MetricResults, first: str, second: str) -> str:
    pair = results.pair(first, second)
    if pair is None:
        return f"{first} and {second} share no seed, so they are not compared in {called}."
    pair = better_first(name, pair)  # the ranking uses all seeds, the pair only shared ones, so their order can differ
    by, seeds = amount(catalogue().metric(name), pair), f"on {pair.won} of {pair.seeds} seeds"
    better = f"{pair.first} is better than {pair.second} by {by} in {called}"
    if not pair.difference and not pair.half_width:
        return f"{pair.first} and {pair.second} have the same value of {called} on every seed."
    if pair.half_width is None:
        return f"{better} on the one seed that both ran, which gives no interval and no verdict."
    if not pair.half_width:
        return f"{better} on each of the {pair.seeds} seeds, to the last digit, which gives no interval and no verdict."
    if pair.second in results.upper_bounds:
        return _below_bound(pair, f"{by} below the upper bound of {pair.second} in {called}, {seeds}", results)
    if not pair.claimed:
        return f"So far, {pair.first} is ahead of {pair.second} by {by} in {called}, {seeds}, which claims nothing."
    if pair.significant:
        return f"{better}, {seeds}."
    interval = f"the interval of their difference, {by}, includes 0 ({pair.first} is better {seeds})"
    enough = f" {pair.seeds} seeds find a difference of {_amount(name, pair.detectable)} in 4 of 5 studies."
    return f"{first} and {second} are not significantly different in {called}: {interval}.{enough}"


def _below_bound(pair: Pair, how_far: str, results: MetricResults) -> str:
    """The worse variant has only an upper bound, which says nothing about its true value."""
    which = f"The upper bound of {pair.first}" if pair.first in results.upper_bounds else pair.first
    return f"{which} is {how_far}. The true value of {pair.second} may be lower than its bound."


def _amount(name: str, value: float | None) -> str:
    return f"{number(value or 0.0, value)} {catalogue().metric(name).unit}".strip()
