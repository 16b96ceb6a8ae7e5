"""Means with their errors: over seeds alone, or over seeds and the images and classifiers that all seeds share (the crossed model)."""

from collections.abc import Mapping, Sequence
from math import isfinite, sqrt
from typing import Any, NamedTuple

import numpy as np

ROUNDING = 1e-12  # of a value: seeds that differ by less agree, and the rest is rounding
SEEDS, IMAGES, CLASSIFIERS = "seeds", "images", "classifiers"  # over what an interval may range
TOGETHER = "together"  # over all of them, by the sum of their variances


class RunValue(NamedTuple):
    """What one run says of a metric."""

    value: float
    parts: Sequence[float] = ()  # means over parts of the images, the same parts for every run
    halves: Sequence[float] = ()  # half the differences on pairs of halves of the images, the same pairs for every run
    by_judge: Mapping[str, float] = {}  # the value under each classifier, if it is a mean over several

    @classmethod
    def of(cls, made: Mapping[str, Any]) -> "RunValue":
        """What evaluation.json says of a metric."""
        return cls(float(made["value"]), made.get("parts", ()), made.get("halves", ()), made.get("by_judge", {}))

    def minus(self, other: "RunValue") -> "RunValue":
        """The difference of two runs; what only one of them knows, or knows of other parts or classifiers, is left out."""
        alike = self.by_judge.keys() == other.by_judge.keys()
        by_judge = {judge: value - other.by_judge[judge] for judge, value in self.by_judge.items()} if alike else {}
        parts, halves = _differences(self.parts, other.parts), _differences(self.halves, other.halves)
        return RunValue(self.value - other.value, parts, halves, by_judge)


def _differences(one: Sequence[float], other: Sequence[float]) -> list[float]:
    return [a - b for a, b in zip(one, other, strict=True)] if len(one) == len(other) else []


class Error(NamedTuple):
    """A standard error and the degrees of freedom it was estimated with."""

    standard_error: float
    degrees: float
    of: str  # SEEDS alone, CLASSIFIERS alone, or TOGETHER


class Term(NamedTuple):
    """A part of the variance of a mean, and the degrees of freedom it was estimated with."""

    variance: float
    degrees: float


class Estimate(NamedTuple):
    """A mean and the ways in which its error was estimated; the one that gives the widest interval counts.

    The crossed model alone covers too rarely where seeds hold most of the variance and there are few of them (92% with three).
    Student's t over seeds alone covers too rarely where images hold it. The wider of the two covers 94 to 96% in both.
    Classifiers are as few as seeds, so that Student's t over them is a third way: with 2 to 5 of them, 95 to 99% are covered.
    """

    mean: float
    errors: tuple[Error, ...]  # none for a single seed
    over: tuple[str, ...] = ()  # what the interval ranges over: SEEDS, and IMAGES and CLASSIFIERS if they are known

    def half_width(self, level: float = 0.05) -> float | None:
        """Half the width of the interval that misses with probability `level`; None for a single seed, 0 if the seeds agree."""
        from scipy.special import stdtrit

        if not all(error.standard_error for error in self.errors):
            return 0.0  # no interval, whatever the images say: seeds that agree say nothing of other seeds
        widths = [error.standard_error * float(stdtrit(error.degrees, 1 - level / 2)) for error in self.errors]
        return max(widths, default=None)

    def p_value(self) -> float | None:
        """The level whose interval just excludes 0; 1 if the seeds agree to the last digit, None for a single seed."""
        from scipy.special import stdtr

        if not self.errors:
            return None
        if not all(error.standard_error for error in self.errors):
            return 1.0  # no interval excludes 0 either
        tails = [float(stdtr(error.degrees, -abs(self.mean) / error.standard_error)) for error in self.errors]
        return max(2 * tail for tail in tails)

    def detectable(self, level: float = 0.05, power: float = 0.8) -> float | None:
        """The smallest difference that studies with these errors find with probability `power`; None for a single seed.

        Args:
            level: of the test.
            power: probability to find it.
        """
        from scipy.special import nctdtrinc, stdtrit

        found = [
            error.standard_error * float(nctdtrinc(error.degrees, 1 - power, stdtrit(error.degrees, 1 - level / 2)))
            for error in self.errors
        ]
        return max(found, default=None)


def crossed(
    values: Sequence[float],
    images: np.ndarray | None = None,
    halves: np.ndarray | None = None,
    judges: np.ndarray | None = None,
) -> Estimate:
    """The mean of one value for each seed, for new seeds and for a new draw of what they share (Cornfield and Tukey, 1956).

    The variance of the mean over seeds contains that of the seeds and that of their interaction with what they share. Images add the
    variance of their means minus that of the interaction, which is already in the term of the seeds; a difference below 0 counts as 0,
    since it would leave an error that is too small, with fewer degrees of freedom than the seeds have. Classifiers add the whole
    variance of their means: there are too few of them to tell the interaction apart, and the interval is at worst too wide.

    Args:
        values: of the seeds.
        images: the value is the mean over images, the same under each seed: (seeds, images).
        halves: half the differences of the values on pairs of halves of the images, the same pairs under each seed, (seeds, pairs):
            over random pairs, they vary as the value does over new images (McCarthy, 1969).
        judges: the value is the mean over classifiers, the same under each seed: (seeds, classifiers).

    Raises:
        ValueError: there is no value.
    """
    seeds = len(values)
    if not seeds:
        raise ValueError("an estimate needs at least one value")
    mean = float(np.mean(values))
    if seeds == 1:
        return Estimate(mean, ())
    of_seeds = Term(_deviation(values) ** 2 / seeds, seeds - 1)
    alone, terms, over = {SEEDS: of_seeds}, [of_seeds], [SEEDS]
    of_images: list[Term] = []
    if images is not None and images.shape[1] > 1:
        of_images = _of_images(images - images.mean(1, keepdims=True), images.shape[1], images.shape[1] - 1)
        over.append(IMAGES)
    elif halves is not None and halves.shape[1]:
        of_images = _of_images(halves, 1, halves.shape[1])
        over.append(IMAGES)
    if sum(term.variance for term in of_images) > 0:
        terms += of_images
    if judges is not None and judges.shape[1] > 1:
        of_judges = Term(float(judges.mean(0).var(ddof=1)) / judges.shape[1], judges.shape[1] - 1)
        alone |= {CLASSIFIERS: of_judges} if of_judges.variance else {}
        terms.append(of_judges)
        over.append(CLASSIFIERS)
    errors = [Error(sqrt(term.variance), term.degrees, of) for of, term in alone.items()]
    return Estimate(mean, (*errors, *(_combined(terms) if terms[1:] else ())), tuple(over))


def _deviation(values: Sequence[float]) -> float:
    """The standard deviation of two values or more; 0 if they agree but for rounding."""
    deviation = float(np.std(values, ddof=1))
    return deviation if deviation > ROUNDING * max(map(abs, values)) else 0.0


def _of_images(values: np.ndarray, count: int, degrees: int) -> list[Term]:
    """The variance that images give a mean, minus that of their interaction with seeds.

    Args:
        values: of images, or of pairs of halves, around 0 under each seed: (seeds, members).
        count: members that the value is a mean of.
        degrees: of freedom of the members.
    """
    seeds = len(values)
    by_member = values.mean(0)
    together = (seeds - 1) * degrees
    return [
        Term(float((by_member**2).sum()) / degrees / count, degrees),
        Term(-float(((values - by_member) ** 2).sum()) / together / seeds / count, together),
    ]


def _combined(terms: Sequence[Term]) -> tuple[Error, ...]:
    """The error whose square is the sum of the terms, with Satterthwaite's (1946) degrees of freedom; none if the sum is not positive.

    Of positive terms, the degrees are at least the fewest of a term. A negative one would push them below.
    """
    variance = sum(term.variance for term in terms)
    if variance <= 0 or not isfinite(variance):
        return ()
    degrees = variance**2 / sum(term.variance**2 / term.degrees for term in terms)
    fewest = min(term.degrees for term in terms)
    return (Error(sqrt(variance), max(degrees, fewest), TOGETHER),)


def estimate_of(runs: Sequence[RunValue]) -> Estimate:
    """The mean of what one run for each seed says, for new images and classifiers too if all runs know the same ones.

    Raises:
        ValueError: there is no run.
    """
    alike = len({tuple(sorted(run.by_judge)) for run in runs}) == 1
    return crossed(
        [run.value for run in runs],
        images=_table([run.parts for run in runs]),
        halves=_table([run.halves for run in runs]),
        judges=_table([[run.by_judge[judge] for judge in sorted(run.by_judge)] for run in runs]) if alike else None,
    )


def _table(rows: Sequence[Sequence[float]]) -> np.ndarray | None:
    """A row for each run, if the rows are equally long."""
    return np.array(rows) if len({len(row) for row in rows}) == 1 else None


def holm(p_values: Sequence[float], level: float = 0.05) -> list[float]:
    """The level at which each of several hypotheses is tested, so that any is rejected wrongly with at most `level` (Holm, 1979).

    A hypothesis is rejected if and only if its p-value is at most its level, which is also the level of the interval to show.
    """
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    levels, at = [0.0] * len(p_values), 0.0
    failed = False
    for rank, index in enumerate(order):
        at = at if failed else level / (len(order) - rank)
        levels[index] = at
        failed = failed or p_values[index] > at
    return levels
