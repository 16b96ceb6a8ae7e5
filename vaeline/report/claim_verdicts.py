"""Whether a claim of a paper stands: a rule, applied to the results that are kept.

A comparison that the study's own report claims has the level that it has there, so that no page says something else than the report. What the
claims ask of a study beyond that is a second family, adjusted together by Holm's method at the same level. An interval that excludes 0 decides;
else the claim stays open, with what more seeds would find. Each verdict says whether one family of both would leave the claim open.
"""

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from typing import NamedTuple

from vaeline.evaluation.catalogue import catalogue
from vaeline.metrics._entry import Metric
from vaeline.report.claimed_differences import LIKELIHOODS, difference
from vaeline.report.claims import level_of
from vaeline.report.decisions import why_unranked
from vaeline.report.estimates import IMAGES, holm
from vaeline.report.kept_results import KeptResults
from vaeline.report.paired_differences import Pair
from vaeline.report.paper_claims import PaperClaim, Papers, Question, asked_of, named
from vaeline.report.power import Claim as Planned
from vaeline.report.table import number, spread
from vaeline.report.unbiased_distance import beside

POWER = 0.8  # of the number of seeds that a claim would take
MORE_SEEDS = 10  # of which the smallest difference is shown if the paper's is unknown


class ClaimVerdict(StrEnum):
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
    verdict: ClaimVerdict
    why: str  # it is open, and what it would take; empty if the claim is decided
    needs_two: bool = False  # whether the claim is decided in two families, and would be open in one
    unbiased: str = ""  # what the kernel distance of the same images says of a claim about a Fréchet distance


Key = tuple[str, str, str, float, float | None]


class Level(NamedTuple):
    """At which a comparison is tested."""

    adjusted: float  # by Holm's method
    first: float  # of its family, and the smallest: that at which more seeds are planned
    together: float  # adjusted in one family of all that is claimed of the study


def answers(papers: Papers, claim: PaperClaim, kept: KeptResults | None) -> list[Answer]:
    """The verdicts on a claim, one for each of its questions, or one if no study decides it.

    Args:
        papers: all claims, since what they ask of one study is adjusted together.
        claim: one of them.
        kept: the results of its study; None if there are none yet.
    """
    if claim.cannot:
        return [Answer("", "", "", ClaimVerdict.OPEN, claim.cannot)]
    if kept is None:
        return [Answer(each.metric, _published(claim, each), "", ClaimVerdict.NOT_RUN, "") for each in claim.questions]
    levels = _levels(papers, claim.study, kept)
    return [_answer(claim, question, kept, levels) for question in claim.questions]


def _levels(papers: Papers, study: str, kept: KeptResults) -> dict[Key, Level]:
    """The level of each comparison that the claims ask of a study, in one of two families: what its report claims, and the others."""
    own = {
        _tested(name, pair.first, pair.second): pair.p_value
        for name, of in kept.comparison.metrics.items()
        for pair in of.claimed.pairs
    }
    found = [(claim, question, difference(claim, question, kept)) for claim, question in asked_of(papers, study)]
    asked = {_key(claim, question, each.metric): each.pair.p_value for claim, question, each in found if each.pair}
    whole = level_of(kept.comparison.looks)
    families = [own, {key: p_value for key, p_value in asked.items() if key not in own}]
    together = _adjusted(asked | own, whole)
    return {
        key: Level(level, whole / len(adjusted), together[key])
        for adjusted in (_adjusted(family, whole) for family in families)
        for key, level in adjusted.items()
    }


def _adjusted(p_values: Mapping[Key, float | None], whole: float) -> dict[Key, float]:
    """The levels of those with a p-value, adjusted together: a single seed gives none."""
    known = {key: p_value for key, p_value in p_values.items() if p_value is not None}
    return dict(zip(known, holm([*known.values()], whole), strict=True))


def _tested(metric: str, first: str, second: str, factor: float = 1.0, target: float | None = None) -> Key:
    """What a comparison tests: that of two variants and that of the same two turned around are one test."""
    if factor == 1:
        first, second = sorted((first, second))
    return metric, first, second, factor, target


def _key(claim: PaperClaim, question: Question, metric: str) -> Key:
    return _tested(metric, named(claim.first), named(claim.second), claim.factor, question.target)


def _answer(claim: PaperClaim, question: Question, kept: KeptResults, levels: Mapping[Key, Level]) -> Answer:
    metric, found, why_none = difference(claim, question, kept)
    published = _published(claim, question)
    if found is None:
        return Answer(metric, published, "", ClaimVerdict.OPEN, why_none)
    level = levels.get(_key(claim, question, metric))
    pair = found.at_level(level.adjusted) if level else found
    verdict, why = _verdict(claim, _as_claimed(metric, question), pair, kept)
    if verdict is ClaimVerdict.OPEN and not why and level:
        why = _seeds(pair, _effect(claim, question, pair, kept), metric, level.first)
    decided_in_one = level is not None and found.at_level(level.together).significant
    return Answer(
        metric,
        published,
        _ours(claim, metric, pair),
        verdict,
        why,
        verdict in (ClaimVerdict.STANDS, ClaimVerdict.FALLS) and not decided_in_one,
        "" if claim.first[1:] else beside(kept.comparison, metric, pair.first, pair.second, claim.factor),
    )


def _verdict(claim: PaperClaim, metric: Metric, pair: Pair, kept: KeptResults) -> tuple[ClaimVerdict, str]:
    """The verdict on a claim; open if a metric cannot rank two of its variants."""
    for first, second in zip(claim.first, claim.second, strict=True):
        two = pair.model_copy(update={"first": first, "second": second})
        if cannot := why_unranked(kept.comparison, metric.name, two):
            return ClaimVerdict.OPEN, cannot
    return verdict_on(metric, pair)


def _ours(claim: PaperClaim, name: str, pair: Pair) -> str:
    """A difference with its interval, and what that ranges over unless it is both seeds and images."""
    unit = "" if claim.first[1:] else catalogue().metric(name).unit  # a ratio has no unit
    found = " ".join(filter(None, [number(pair.difference, pair.half_width), spread(pair.half_width), unit]))
    return found if IMAGES in pair.over or not pair.over else f"{found} (over {' and '.join(pair.over)} alone)"


def _as_claimed(name: str, question: Question) -> Metric:
    """A metric with the direction of what a claim compares: that of the metric, or the claim's if it has none; of distances from a target, lower."""
    metric = catalogue().metric(name)
    direction = "lower" if question.target is not None else metric.better or question.direction
    return replace(metric, better=direction)


def verdict_on(metric: Metric, pair: Pair) -> tuple[ClaimVerdict, str]:
    """The verdict on a claim that the first variant of a pair is better, and why it is open; no reason if more seeds could decide it."""
    if metric.better is None:
        return ClaimVerdict.OPEN, "the metric describes a model and ranks none"
    if pair.half_width is None:
        return ClaimVerdict.OPEN, "one seed gives no interval; three seeds or more would"
    if not pair.half_width:
        return ClaimVerdict.OPEN, "all seeds agree to the last digit, which gives no interval"
    if not pair.significant:
        return ClaimVerdict.OPEN, ""
    return (ClaimVerdict.STANDS if metric.sign * pair.difference < 0 else ClaimVerdict.FALLS), ""


def _seeds(pair: Pair, wanted: float | None, metric: str, level: float) -> str:
    """What more seeds would find, at the level of the claim in the worst case. The difference seen is never planned with (see `power`)."""
    planned = Planned.of(metric, pair)
    now, later = (planned.detectable(seeds, level, POWER) for seeds in (pair.seeds, MORE_SEEDS))
    here = f"{pair.seeds} seeds would find a true difference of {_digits(now)}"
    if wanted is None:
        return f"{here}, {MORE_SEEDS} seeds one of {_digits(later)}"
    seeds = planned.needed(wanted, level, POWER)
    if seeds is None:
        return f"{here}; no number of seeds finds the paper's relative difference, {_digits(wanted)} here, since test images leave more open"
    return f"{here}; the paper's relative difference, {_digits(wanted)} here, needs {seeds:,} seeds"


def _effect(claim: PaperClaim, question: Question, pair: Pair, kept: KeptResults) -> float | None:
    """The same share of our value as in the paper; None if unknown, or of a likelihood, of which no share has a meaning."""
    metric = question.metric_of(kept.measured)
    ours = kept.comparison.metrics[metric].summaries.get(pair.second)
    if question.published is None or claim.factor != 1 or ours is None:
        return None
    better, other = question.published
    if not other:
        return None
    return None if catalogue().metric(metric).group == LIKELIHOODS else abs(better / other - 1) * abs(ours.mean) or None


def _published(claim: PaperClaim, question: Question) -> str:
    """The paper's values, and whether they themselves contradict the claim."""
    if question.published is None:
        return ""
    better, other = question.published
    one, two = (value if question.target is None else abs(value - question.target) for value in question.published)
    metric = _as_claimed(question.metric_of(()), question)
    words = " (worse)" if metric.sign * (one - claim.factor * two) > 0 else ""
    return f"{better:,g} against {other:,g}{words}"


def _digits(value: float) -> str:
    return number(value, value)
