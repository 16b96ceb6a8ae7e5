"""Whether a claim of a paper stands: a rule, applied to the results that are kept.

A comparison that the study's own report claims has the level that it has there, so that no page says something else than the report. What the
claims ask of a study beyond that is a second family, adjusted together by Holm's method at the same level. An interval that excludes 0 decides;
else the claim stays open, with what more seeds would find.
"""

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from typing import NamedTuple

from vaeline.evaluation.catalogue import catalogue
from vaeline.metrics._entry import Metric
from vaeline.report.claims import level_of
from vaeline.report.decisions import why_unranked
from vaeline.report.estimates import holm
from vaeline.report.kept_results import Asked, KeptResults
from vaeline.report.paired_differences import Pair
from vaeline.report.paper_claims import PaperClaim, Papers, Question, asked_of, named
from vaeline.report.power import Claim as Planned
from vaeline.report.table import number, spread

POWER = 0.8  # of the number of seeds that a claim would take
MORE_SEEDS = 10  # of which the smallest difference is shown if the paper's is unknown
LIKELIHOODS = "Likelihood"  # a group of metrics, of which no share has a meaning


class Verdict(StrEnum):
    """What becomes of a claim."""

    STANDS = "stands"
    FALLS = "does not stand"
    OPEN = "cannot be decided here"
    NOT_RUN = "not run yet"


class Answer(NamedTuple):
    """What a question of a claim is answered."""

    metric: str  # empty if no metric decides the claim
    published: str
    ours: str  # the difference with its adjusted interval; empty if nothing was measured
    verdict: Verdict
    why: str  # it is open, and what it would take; empty if the claim is decided


Key = tuple[str, str, str, float]


class Level(NamedTuple):
    """At which a comparison is tested."""

    adjusted: float  # by Holm's method
    first: float  # of its family, and the smallest: that at which more seeds are planned


def answers(papers: Papers, claim: PaperClaim, kept: KeptResults | None) -> list[Answer]:
    """The verdicts on a claim, one for each of its questions, or one if no study decides it.

    Args:
        papers: all claims, since what they ask of one study is adjusted together.
        claim: one of them.
        kept: the results of its study; None if there are none yet.
    """
    if claim.cannot:
        return [Answer("", "", "", Verdict.OPEN, claim.cannot)]
    if kept is None:
        return [Answer(each.metric, _published(each), "", Verdict.NOT_RUN, "") for each in claim.questions]
    levels = _levels(papers, claim.study, kept)
    return [_answer(claim, question, kept, levels) for question in claim.questions]


def _levels(papers: Papers, study: str, kept: KeptResults) -> dict[Key, Level]:
    """The level of each comparison that the claims ask of a study, in one of two families: what its report claims, and the others."""
    own = {
        _tested(name, pair.first, pair.second): pair.p_value
        for name, of in kept.comparison.metrics.items()
        for pair in of.claimed.pairs
    }
    found = [_kept(claim, question, kept) for claim, question in asked_of(papers, study)]
    asked = {_tested(*_key(each)): each.pair.p_value for each in found if each and each.pair}
    others = {key: p_value for key, p_value in asked.items() if key not in own}
    return _in_family(own, kept) | _in_family(others, kept)


def _in_family(p_values: Mapping[Key, float | None], kept: KeptResults) -> dict[Key, Level]:
    """Those with a p-value, adjusted together: a single seed gives none."""
    known = {key: p_value for key, p_value in p_values.items() if p_value is not None}
    whole = level_of(kept.comparison.looks)
    levels = holm([*known.values()], whole)
    return {key: Level(level, whole / len(known)) for key, level in zip(known, levels, strict=True)}


def _tested(metric: str, first: str, second: str, factor: float = 1.0) -> Key:
    """What a comparison tests: that of two variants and that of the same two turned around are one test."""
    if factor == 1:
        first, second = sorted((first, second))
    return metric, first, second, factor


def _key(asked: Asked) -> Key:
    return asked.metric, asked.first, asked.second, asked.factor


def _kept(claim: PaperClaim, question: Question, kept: KeptResults) -> Asked | None:
    """The comparison of a question; None if the results were kept before it was asked."""
    wanted = (question.metric_of(kept.comparison.metrics), named(claim.first), named(claim.second), claim.factor)
    return next((each for each in kept.asked if _key(each) == wanted), None)


def _answer(claim: PaperClaim, question: Question, kept: KeptResults, levels: Mapping[Key, Level]) -> Answer:
    asked, published = _kept(claim, question, kept), _published(question)
    if asked is None:
        why = f"`make keep-results STUDY={claim.study}` adds the comparison"
        return Answer(question.metric, published, "", Verdict.NOT_RUN, why)
    metric = _as_claimed(catalogue().metric(asked.metric), question)
    if asked.pair is None:
        return Answer(asked.metric, published, "", Verdict.OPEN, asked.why)
    level = levels.get(_tested(*_key(asked)))
    pair = asked.pair.at_level(level.adjusted) if level else asked.pair
    ours = " ".join(filter(None, [number(pair.difference, pair.half_width), spread(pair.half_width), metric.unit]))
    each = [
        pair.model_copy(update={"first": one, "second": two})
        for one, two in zip(claim.first, claim.second, strict=True)
    ]
    cannot = [why for of_two in each if (why := why_unranked(kept.comparison, metric.name, of_two))]
    verdict, why = (Verdict.OPEN, cannot[0]) if cannot else verdict_on(metric, pair)
    if verdict is Verdict.OPEN and not why and level:
        why = _seeds(pair, _effect(claim, question, pair, kept), asked.metric, level.first)
    return Answer(asked.metric, published, ours, verdict, why)


def _as_claimed(metric: Metric, question: Question) -> Metric:
    """A metric with the direction that a claim gives it, if it has none."""
    return metric if metric.better or question.direction is None else replace(metric, better=question.direction)


def verdict_on(metric: Metric, pair: Pair) -> tuple[Verdict, str]:
    """The verdict on a claim that the first variant of a pair is better, and why it is open; no reason if more seeds could decide it."""
    if metric.better is None:
        return Verdict.OPEN, "the metric describes a model and ranks none"
    if pair.half_width is None:
        return Verdict.OPEN, "one seed gives no interval; three seeds or more would"
    if not pair.half_width:
        return Verdict.OPEN, "all seeds agree to the last digit, which gives no interval"
    if not pair.significant:
        return Verdict.OPEN, ""
    return (Verdict.STANDS if metric.sign * pair.difference < 0 else Verdict.FALLS), ""


def _seeds(pair: Pair, wanted: float | None, metric: str, level: float) -> str:
    """What more seeds would find, at the level of the claim in the worst case. The difference seen is never planned with (see `power`)."""
    planned = Planned.of(metric, pair)
    now, later = (planned.detectable(seeds, level, POWER) for seeds in (pair.seeds, MORE_SEEDS))
    here = f"{pair.seeds} seeds find a difference of {_digits(now)}"
    if wanted is None:
        return f"{here}, {MORE_SEEDS} seeds of {_digits(later)}"
    seeds = planned.needed(wanted, level, POWER)
    if seeds is None:
        return f"{here}; no number finds {_digits(wanted)}, as much as in the paper, since test images leave more open"
    return f"{here}; to find {_digits(wanted)}, as much as in the paper, takes {seeds:,} seeds"


def _effect(claim: PaperClaim, question: Question, pair: Pair, kept: KeptResults) -> float | None:
    """The difference that the paper reports: itself if its unit is ours, else the same share of our value; None if unknown."""
    metric = question.metric_of(kept.comparison.metrics)
    ours = kept.comparison.metrics[metric].summaries.get(pair.second)
    if question.published is None or claim.factor != 1 or ours is None:
        return None
    better, other = question.published
    if question.as_here:
        return abs(better - other) or None
    return None if catalogue().metric(metric).group == LIKELIHOODS else abs(better / other - 1) * abs(ours.mean) or None


def _published(question: Question) -> str:
    return " against ".join(f"{value:,g}" for value in question.published or ())


def _digits(value: float) -> str:
    return number(value, value)
