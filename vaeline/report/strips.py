"""Strips: paired comparisons of variants drawn as dots and intervals on a line, at places in per cent of its length."""

from collections.abc import Callable
from typing import NamedTuple

from vaeline.evaluation.catalogue import catalogue
from vaeline.metrics._entry import Metric
from vaeline.report import table
from vaeline.report.comparison import Comparison, MetricResults
from vaeline.report.kept_pairs import shown
from vaeline.report.paired_differences import Pair

MARGIN = 3.0  # per cent of a strip left free at either end


class Strip(NamedTuple):
    """A paired comparison as drawn."""

    pair: Pair  # the better variant first
    decided: bool  # whether the comparison tells which variant is better
    by: str  # the difference as text
    mean: float  # places, in per cent
    low: float | None  # None without an interval
    high: float | None
    seeds: list[float]


class Strips(NamedTuple):
    """The strips of a metric, on a common scale."""

    zero: float  # place of no difference
    strips: list[Strip]


def strips_of(comparison: Comparison, name: str) -> Strips:
    """The strips of a metric, best variants first; variants whose measures differ are not paired."""
    results, metric = comparison.metrics[name], catalogue().metric(name)
    rankings = [part.ranking(metric) for part in results.alike().values()]
    ranked = [pair for of in rankings for two in shown(of) if (pair := results.pair(*two))]
    pairs = [pair.turned() if metric.sign * pair.difference > 0 else pair for pair in ranked]
    advantages = [_advantages(results, pair, metric) for pair in pairs]
    place = _scale([0.0, *_ends(pairs), *(value for each in advantages for value in each)])
    decided = _decided(comparison, name, pairs)
    strips = [_strip(*each, place) for each in zip(pairs, decided, advantages, strict=True)]
    return Strips(place(0.0), strips)


def _decided(comparison: Comparison, name: str, pairs: list[Pair]) -> list[bool]:
    """Whether each comparison tells which variant is better."""
    results, metric = comparison.metrics[name], catalogue().metric(name)
    unranked = {*results.saturated, *comparison.unranked(name)}
    return [
        pair.claimed and pair.significant and results.decided(pair, metric) and not {pair.first, pair.second} & unranked
        for pair in pairs
    ]


def _advantages(results: MetricResults, pair: Pair, metric: Metric) -> list[float]:
    """By how much the pair's first variant is better, on each seed that both ran."""
    first, second = results.summaries[pair.first].values, results.summaries[pair.second].values
    return [metric.sign * (second[seed] - first[seed]) for seed in first if seed in second]


def _ends(pairs: list[Pair]) -> list[float]:
    """Both ends of every interval."""
    return [abs(pair.difference) + side * (pair.half_width or 0) for pair in pairs for side in (-1, 1)]


def _scale(values: list[float]) -> Callable[[float], float]:
    """A function from values to places on a strip that spans all of `values`."""
    low, high = min(values), max(values)
    length = (high - low) or 1.0
    return lambda value: round(MARGIN + (100 - 2 * MARGIN) * (value - low) / length, 2)


def _strip(pair: Pair, decided: bool, seeds: list[float], place: Callable[[float], float]) -> Strip:
    mean, half_width = abs(pair.difference), pair.half_width
    low, high = (place(mean - half_width), place(mean + half_width)) if half_width is not None else (None, None)
    by = f"{table.number(mean, half_width)} {table.spread(half_width)}".strip()
    return Strip(pair, decided, by, place(mean), low, high, [place(value) for value in seeds])
