"""The differences that claims of papers are about, computed from the results that are kept, so that a new claim needs no new run."""

from collections.abc import Callable, Mapping, Sequence, Set
from math import log
from statistics import fmean
from typing import Any, NamedTuple

from vaeline.evaluation.catalogue import DEFINING, catalogue
from vaeline.report.comparability import why_no_mean, why_not_all
from vaeline.report.estimates import RunValue
from vaeline.report.kept_results import KeptResults, ValuesOfMetric
from vaeline.report.paired_differences import Pair, paired_difference
from vaeline.report.paper_claims import PaperClaim, Question, named

LIKELIHOODS = "Likelihood"  # a group of metrics, of which no ratio has a meaning
NOTHING = ValuesOfMetric(alike={}, runs={})

Entries = Mapping[int, Mapping[str, Any]]  # seed -> what evaluation.json says of a metric


class Difference(NamedTuple):
    """What a claim asks of a study: the first variant against `factor` times the second; of several variants, their mean logarithms."""

    metric: str
    pair: Pair | None  # not adjusted
    why: str  # there is no pair; empty if there is one


def difference(claim: PaperClaim, question: Question, kept: KeptResults) -> Difference:
    """Compare the variants that a claim names, in the metric of one of its questions."""
    metric = question.metric_of(kept.measured)
    if absent := [name for name in (*claim.first, *claim.second) if name not in kept.comparison.variants]:
        return Difference(metric, None, f"the study has no variant {' and '.join(absent)}")
    found = kept.measured.get(metric, NOTHING)
    entries = {name: found.of(name) for name in (*claim.first, *claim.second)}
    if why := _why_not_alike(entries, set(kept.comparison.seeds)) or (
        _why_no_ratio(metric, entries) if claim.first[1:] else ""
    ):
        return Difference(metric, None, why)
    values = {
        named(variants): _by_seed([entries[name] for name in variants], factor, question.target)
        for variants, factor in ((claim.first, 1.0), (claim.second, claim.factor))
    }
    first, second = values
    if not values[first].keys() & values[second].keys():
        return Difference(metric, None, "one of the two has no value")
    higher_wins = question.target is None and catalogue().metric(metric).better == "higher"
    return Difference(metric, paired_difference(first, second, values, higher_wins), "")


def _why_not_alike(entries: Mapping[str, Entries], seeds: Set[int]) -> str:
    """Why values of variants have no mean and no difference; empty if all were measured alike, and all rank."""
    for variant, of in entries.items():
        why = next((made["descriptive"] for made in of.values() if made.get("descriptive")), "")
        if of and (why := why or why_not_all(seeds - of.keys())):
            return f"the value of {variant} ranks nothing: {why}"
    every = [made for of in entries.values() for made in of.values()]
    return why_no_mean([{key: made[key] for key in DEFINING if key in made} for made in every], "the variants")


def _why_no_ratio(metric: str, entries: Mapping[str, Entries]) -> str:
    """Why values have no ratio, whose logarithm is what a mean over pairs is of; empty if they have one."""
    if catalogue().metric(metric).group == LIKELIHOODS:
        return "a mean over pairs is of ratios, and a ratio of likelihoods in nats has no meaning"
    below = [variant for variant, of in entries.items() if any(made["value"] <= 0 for made in of.values())]
    return f"a mean over pairs is of ratios, and the value of {below[0]} is not above 0" if below else ""


def _by_seed(of: Sequence[Entries], factor: float, target: float | None) -> dict[int, RunValue]:
    """What is compared of variants under each seed that all of them ran."""
    shared = [seed for seed in of[0] if all(seed in each for each in of)]
    return {seed: _value([RunValue.of(each[seed]) for each in of], factor, target) for seed in shared}


def _value(of: Sequence[RunValue], factor: float, target: float | None) -> RunValue:
    """A value times a factor, or its distance from a target; of several variants the mean logarithm, which no single one can dominate.

    The parts that its error is estimated from are multiplied by the slope of that function.
    """
    values = [each.value for each in of]
    if len(of) > 1:
        return _mean(of, fmean(log(factor * value) for value in values), [1 / value for value in values])
    [value] = values
    if target is not None:
        return _mean(of, factor * abs(value - target), [factor if value > target else -factor])
    return _mean(of, factor * value, [factor])


def _mean(of: Sequence[RunValue], value: float, slopes: Sequence[float]) -> RunValue:
    """A value with the parts of its error: their means over variants, each times its slope, if all have the same parts."""

    def of_lists(pick: Callable[[RunValue], Sequence[float]]) -> list[float]:
        lists = [pick(each) for each in of]
        alike = len({len(each) for each in lists}) == 1
        return [fmean(map(float.__mul__, slopes, column)) for column in zip(*lists, strict=True)] if alike else []

    judges = of[0].by_judge if all(each.by_judge.keys() == of[0].by_judge.keys() for each in of) else {}
    by_judge = {
        judge: fmean(slope * each.by_judge[judge] for slope, each in zip(slopes, of, strict=True)) for judge in judges
    }
    return RunValue(value, of_lists(lambda each: each.parts), of_lists(lambda each: each.halves), by_judge)
