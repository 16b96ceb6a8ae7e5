"""Strips: paired comparisons of variants drawn as dots and intervals on a line of their own, at places in per cent of its length."""

from collections.abc import Callable
from math import ceil, floor, log10
from typing import NamedTuple

from vaeline.evaluation.catalogue import catalogue
from vaeline.metrics._entry import Metric
from vaeline.report import table
from vaeline.report.comparison import Comparison, MetricResults
from vaeline.report.decisions import better_first, why_open, why_unranked
from vaeline.report.kept_pairs import shown
from vaeline.report.paired_differences import Pair

MARGIN = 6.0  # per cent of a strip left free at either end
FEWEST_STEPS = 1.5  # of an axis from end to end; a step is 1, 2 or 5 times a power of ten


class Tick(NamedTuple):
    """A mark of a strip's axis."""

    place: float  # in per cent
    label: str


class Strip(NamedTuple):
    """A paired comparison as drawn, by how much the first variant is better."""

    pair: Pair  # the better mean first
    why_open: str  # why the comparison decides nothing; empty if the first variant is better
    by: str  # the difference as text
    mean: float  # places, in per cent
    low: float | None  # None without an interval
    high: float | None
    seeds: list[float]
    zero: float  # place of no difference
    ticks: list[Tick]


class Strips(NamedTuple):
    """The strips of a metric by what they say; each group is in the order of the ranking."""

    better: list[Strip]
    undecided: list[Strip]
    unranked: list[Strip]  # the metric cannot rank one of the two variants

    @property
    def total(self) -> int:
        """How many strips there are."""
        return sum(map(len, self))


def strips_of(comparison: Comparison, name: str) -> Strips:
    """The strips of a metric, best variants first; variants whose measures differ are not paired."""
    results, metric = comparison.metrics[name], catalogue().metric(name)
    rankings = [part.ranking(metric) for part in results.alike().values()]
    ranked = [pair for of in rankings for two in shown(of) if (pair := results.pair(*two))]
    found = Strips([], [], [])
    for pair in (better_first(name, each) for each in ranked):
        strip = _strip(comparison, name, pair)
        cannot = why_unranked(comparison, name, pair)
        (found.unranked if cannot else found.undecided if strip.why_open else found.better).append(strip)
    return found


def _strip(comparison: Comparison, name: str, pair: Pair) -> Strip:
    seeds = _advantages(comparison.metrics[name], pair, catalogue().metric(name))
    mean, half_width = abs(pair.difference), pair.half_width
    ends = [mean + side * (half_width or 0.0) for side in (-1, 1)]
    low, high = min(0.0, *ends, *seeds), max(0.0, *ends, *seeds)
    place = _scale(low, high)
    return Strip(
        pair=pair,
        why_open=why_open(comparison, name, pair),
        by=f"{table.number(mean, half_width)} {table.spread(half_width)}".strip(),
        mean=place(mean),
        low=None if half_width is None else place(ends[0]),
        high=None if half_width is None else place(ends[1]),
        seeds=[place(value) for value in seeds],
        zero=place(0.0),
        ticks=[Tick(place(value), label) for value, label in _ticks(low, high)],
    )


def _advantages(results: MetricResults, pair: Pair, metric: Metric) -> list[float]:
    """By how much the pair's first variant is better, on each seed that both ran."""
    first, second = results.summaries[pair.first].values, results.summaries[pair.second].values
    return [metric.sign * (second[seed] - first[seed]) for seed in first if seed in second]


def _scale(low: float, high: float) -> Callable[[float], float]:
    """A function from values to places on a strip that spans them."""
    length = (high - low) or 1.0
    return lambda value: round(MARGIN + (100 - 2 * MARGIN) * (value - low) / length, 2)


def _ticks(low: float, high: float) -> list[tuple[float, str]]:
    """Round values from low to high, 0 among them, and how they are written; 0 alone if both are 0."""
    if low == high:
        return [(0.0, "0")]
    most = (high - low) / FEWEST_STEPS
    power = 10.0 ** floor(log10(most))
    step = max(factor * power for factor in (1, 2, 5) if factor * power <= most)
    decimals = max(0, -floor(log10(step)))
    places = range(ceil(low / step), floor(high / step) + 1)
    return [(place * step, f"{place * step:,.{decimals}f}" if place else "0") for place in places]
