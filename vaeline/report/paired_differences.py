"""Differences of two variants, paired over the seeds that both ran."""

from collections.abc import Mapping
from statistics import stdev

from vaeline.report.estimates import Error, Estimate, RunValue, estimate_of
from vaeline.study.parts import Entry

Values = Mapping[str, Mapping[int, RunValue]]  # variant -> seed -> what the run says of a metric


class Pair(Entry):
    """The difference of two variants over the seeds they share, first minus second."""

    first: str
    second: str
    difference: float
    half_width: float | None  # of the interval at the pair's level; None for a single seed
    over: list[str]  # what interval and p-value range over, as in `Summary`
    p_value: float | None  # of no difference; None for a single seed
    level: float  # of the test and the interval: 0.05, or less if several comparisons are adjusted together
    claimed: bool  # whether the study claims what it finds here; other comparisons are exploratory
    deviation: float  # standard deviation of the difference over seeds; 0 for a single seed
    # The smallest difference that studies of so many seeds and images find with probability 0.8; None for a single seed.
    detectable: float | None
    # Standard error, degrees of freedom and source of each way to estimate the error; the widest interval counts.
    errors: list[tuple[float, float, str]]
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


def paired_difference(first: str, second: str, values: Values, higher_is_better: bool = False) -> Pair:
    """Compare two variants on the seeds that both ran; pairing cancels what a seed does to both, and what images and classifiers do.

    Args:
        first: name of a variant.
        second: name of another.
        values: of the metric.
        higher_is_better: which sign wins a seed.

    Raises:
        ValueError: they have no seed in common.
    """
    shared = sorted(values[first].keys() & values[second].keys())
    of_seeds = [values[first][seed].minus(values[second][seed]) for seed in shared]
    found, differences = estimate_of(of_seeds), [each.value for each in of_seeds]
    deviation = stdev(differences) if len(differences) > 1 else 0.0
    higher, lower = sum(each > 0 for each in differences), sum(each < 0 for each in differences)
    won, lost = (higher, lower) if higher_is_better else (lower, higher)
    return Pair(
        first=first,
        second=second,
        difference=found.mean,
        half_width=found.half_width(),
        over=list(found.over),
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
