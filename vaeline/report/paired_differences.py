"""Differences of two variants, paired over the seeds that both ran."""

from collections.abc import Mapping

from vaeline.report.intervals import interval
from vaeline.study.parts import Entry


class Pair(Entry):
    """The difference of two variants over the seeds they share, first minus second."""

    first: str
    second: str
    difference: float
    half_width: float | None  # of the 95% t-interval; None for a single seed
    seeds: int  # shared
    won: int  # seeds on which first is better; a tie is won by neither
    lost: int

    @property
    def significant(self) -> bool:
        """Whether the interval excludes 0."""
        return self.half_width is not None and abs(self.difference) > self.half_width

    def turned(self) -> "Pair":
        """The same comparison, second minus first."""
        swapped = {"first": self.second, "second": self.first, "won": self.lost, "lost": self.won}
        return self.model_copy(update={**swapped, "difference": -self.difference})


def paired_difference(
    first: str, second: str, values: Mapping[str, Mapping[int, float]], higher_is_better: bool = False
) -> Pair:
    """Compare two variants on the seeds that both ran; pairing cancels what a seed does to both.

    Args:
        first: name of a variant.
        second: name of another.
        values: variant -> seed -> value of the metric.
        higher_is_better: which sign wins a seed.

    Raises:
        ValueError: they have no seed in common.
    """
    shared = sorted(values[first].keys() & values[second].keys())
    differences = [values[first][seed] - values[second][seed] for seed in shared]
    mean, half_width, seeds = interval(differences)
    higher, lower = sum(each > 0 for each in differences), sum(each < 0 for each in differences)
    won, lost = (higher, lower) if higher_is_better else (lower, higher)
    return Pair(first=first, second=second, difference=mean, half_width=half_width, seeds=seeds, won=won, lost=lost)
