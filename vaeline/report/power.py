"""What more seeds would find: planned from the variance of a study's comparisons, and never from their differences.

A number of seeds that is chosen by the differences seen finds differences that are not there.
"""

from math import sqrt
from typing import NamedTuple

from vaeline.report import claims
from vaeline.report.comparison import Comparison
from vaeline.report.estimates import CLASSIFIERS, SEEDS, TOGETHER, Error, Estimate
from vaeline.report.kept_pairs import ALL_PAIRS
from vaeline.report.paired_differences import Pair
from vaeline.study.schema import StudySection

SURE = 0.8  # confidence of the upper limit of a deviation, by which a study is planned (Browne, 1995)
MOST_SEEDS = 10**9


class Claim(NamedTuple):
    """A comparison that a study will claim, without its difference."""

    metric: str
    variants: tuple[str, str]  # in the order of the study
    seeds: int  # that its variance comes from
    deviation: float  # of the difference over seeds, standard
    # What seeds do not reduce: the variance that images and classifiers add, and the square of it over its degrees of freedom.
    fixed: tuple[float, float] = (0.0, 0.0)
    alone: tuple[Error, ...] = ()  # errors that contain nothing of the seeds: over classifiers
    least: float = 1.0  # degrees of freedom of seeds and images together, which do not fall as seeds are added

    @classmethod
    def of(cls, metric: str, pair: Pair) -> "Claim":
        """The variance of a paired difference."""
        errors = {error.of: error for error in pair.estimate.errors}
        of_seeds, together = errors[SEEDS], errors.get(TOGETHER, errors[SEEDS])
        fixed = (
            max(together.standard_error**2 - of_seeds.standard_error**2, 0.0),
            max(together.standard_error**4 / together.degrees - of_seeds.standard_error**4 / of_seeds.degrees, 0.0),
        )
        alone = (errors[CLASSIFIERS],) if CLASSIFIERS in errors else ()
        least = together.degrees if together.of == TOGETHER else 1.0
        return cls(metric, (pair.first, pair.second), pair.seeds, pair.deviation, fixed, alone, least)

    def detectable(self, seeds: int, level: float, power: float) -> float:
        """The smallest difference that so many seeds find.

        Args:
            seeds: of each variant, at least 2.
            level: of the test.
            power: probability to find it.
        """
        variance, (fixed, over_degrees) = self.deviation**2 / seeds, self.fixed
        whole = variance + fixed
        degrees = whole**2 / (variance**2 / (seeds - 1) + over_degrees) if whole else 1.0
        degrees = max(degrees, self.least if seeds >= self.seeds else 1.0)
        of_seeds, together = Error(sqrt(variance), seeds - 1, SEEDS), Error(sqrt(whole), degrees, TOGETHER)
        errors = (of_seeds, *self.alone, together)
        return Estimate(0.0, errors).detectable(level, power) or 0.0

    def at_its_limit(self) -> "Claim":
        """The claim with the upper limit of its deviation: so few seeds know the deviation badly."""
        from scipy.special import chdtri

        degrees = self.seeds - 1
        return self._replace(deviation=self.deviation * sqrt(degrees / float(chdtri(degrees, SURE))))

    @property
    def varies(self) -> bool:
        """Whether the runs tell of any variance."""
        return self.deviation > 0 or self.fixed[0] > 0 or any(error.standard_error > 0 for error in self.alone)

    @property
    def bounded(self) -> bool:
        """Whether test images or classifiers leave something open, however many seeds there are."""
        return self.fixed[0] > 0 or any(error.standard_error > 0 for error in self.alone)

    def needed(self, difference: float, level: float, power: float) -> int | None:
        """The number of seeds that finds a difference; None if a billion do not.

        Args:
            difference: that is wanted.
            level: of the test.
            power: probability to find it.
        """
        low, high = 1, 2
        while self.detectable(high, level, power) > difference:
            low, high = high, 2 * high
            if low > MOST_SEEDS:
                return None
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self.detectable(middle, level, power) <= difference else (middle, high)
        return high


def claims_of(comparison: Comparison, study: StudySection) -> list[Claim]:
    """The claims of a study as it is declared now, with the variance of the comparisons that were made.

    Args:
        comparison: of the runs so far.
        study: that is planned.
    """
    names = claims.primary(study, comparison.metrics)
    places = claims.claimed(comparison.metrics, names, study.baseline)
    return [Claim.of(name, comparison.metrics[name].pairs[place]) for name, place in places]


def holds_claims(comparison: Comparison, study: StudySection) -> bool:
    """Whether a comparison holds all pairs that the study claims as it is declared now. Of few variants, it holds every pair."""
    few = len(comparison.variants) <= ALL_PAIRS
    metrics = set(claims.primary(study, comparison.metrics)) <= set(comparison.primary)
    return few or (metrics and comparison.baseline in (None, study.baseline))


def level_of(study: StudySection, count: int) -> float:
    """The level of each of `count` claims in the worst case: Holm's first, which is Bonferroni's.

    Holm's later levels depend on the differences.
    """
    return claims.level_of(study.looks) / count
