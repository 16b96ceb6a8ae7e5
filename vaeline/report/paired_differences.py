"""Differences of two variants, paired over the seeds that both ran."""

from collections.abc import Mapping, Sequence
from statistics import stdev

from vaeline.report.estimates import Error, Estimate, estimate_of
from vaeline.study.parts import Entry

OfImages = Mapping[str, Mapping[int, Sequence[float]]]  # variant -> seed -> `parts` or `halves` of evaluation.json


class Pair(Entry):
    """The difference of two variants over the seeds they share, first minus second."""

    first: str
    second: str
    difference: float
    half_width: float | None  # of the interval at the pair's level; None for a single seed
    # Of no difference, for new seeds and, where they are known, new images; None for a single seed.
    p_value: float | None
    level: float  # of the test and the interval: 0.05, or less if several comparisons are adjusted together
    claimed: bool  # whether the study claims what it finds here; other comparisons are exploratory
    deviation: float  # standard deviation of the difference over seeds; 0 for a single seed
    # The smallest difference that studies of so many seeds and images find with probability 0.8; None for a single seed.
    detectable: float | None
    # Standard error and degrees of freedom of each way to estimate the error; the widest interval counts.
    errors: list[tuple[float, float]]
    seeds: int  # shared
    won: int  # seeds on which first is better; a tie is won by neither
    lost: int

    @property
    def significant(self) -> bool:
        """Whether the interval excludes 0. Seeds that agree to the last digit say nothing of other seeds."""
        return bool(self.half_width) and abs(self.difference) > (self.half_width or 0)

    @property
    def estimate(self) -> Estimate:
        """The difference with its errors."""
        return Estimate(self.difference, tuple(Error(*each) for each in self.errors))

    def at_level(self, level: float) -> "Pair":
        """The same comparison, tested and shown at another level."""
        found = self.estimate
        return self.model_copy(
            update={"level": level, "half_width": found.half_width(level), "detectable": found.detectable(level)}
        )

    def turned(self) -> "Pair":
        """The same comparison, second minus first."""
        swapped = {"first": self.second, "second": self.first, "won": self.lost, "lost": self.won}
        return self.model_copy(update={**swapped, "difference": -self.difference})


def paired_difference(
    first: str,
    second: str,
    values: Mapping[str, Mapping[int, float]],
    higher_is_better: bool = False,
    parts: OfImages | None = None,
    halves: OfImages | None = None,
) -> Pair:
    """Compare two variants on the seeds that both ran; pairing cancels what a seed does to both.

    Args:
        first: name of a variant.
        second: name of another.
        values: variant -> seed -> value of the metric.
        higher_is_better: which sign wins a seed.
        parts: means over the same parts of the images, if they are known.
        halves: half the differences on the same pairs of halves of the images, if they are known.

    Raises:
        ValueError: they have no seed in common.
    """
    shared = sorted(values[first].keys() & values[second].keys())
    differences = [values[first][seed] - values[second][seed] for seed in shared]
    of_parts, of_halves = ([_difference(of or {}, first, second, seed) for seed in shared] for of in (parts, halves))
    found = estimate_of(differences, of_parts, of_halves)
    deviation = stdev(differences) if len(differences) > 1 else 0.0
    higher, lower = sum(each > 0 for each in differences), sum(each < 0 for each in differences)
    won, lost = (higher, lower) if higher_is_better else (lower, higher)
    return Pair(
        first=first,
        second=second,
        difference=found.mean,
        half_width=found.half_width(),
        p_value=found.p_value(),
        level=0.05,
        claimed=False,
        deviation=deviation,
        detectable=found.detectable(),
        errors=list(found.errors),
        seeds=len(shared),
        won=won,
        lost=lost,
    )


def _difference(of_images: OfImages, first: str, second: str, seed: int) -> list[float]:
    """Differences part by part, or half by half; none if a variant has none, or other ones."""
    one, other = (of_images.get(variant, {}).get(seed, []) for variant in (first, second))
    return [a - b for a, b in zip(one, other, strict=True)] if len(one) == len(other) else []
