"""Means with their errors, over seeds alone or over seeds and images (the crossed model)."""

from collections.abc import Sequence
from math import isfinite, sqrt
from typing import NamedTuple

import numpy as np

ROUNDING = 1e-12  # of a value: seeds that differ by less agree, and the rest is rounding


class Error(NamedTuple):
    """A standard error and the degrees of freedom it was estimated with."""

    standard_error: float
    degrees: float


class Estimate(NamedTuple):
    """A mean and the ways in which its error was estimated; the one that gives the wider interval counts.

    The crossed model alone covers too rarely where seeds hold most of the variance and there are few of them (92% with three).
    Student's t over seeds alone covers too rarely where images hold it. The wider of the two covers 94 to 96% in both.
    """

    mean: float
    errors: tuple[Error, ...]  # none for a single seed

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
        return max(
            2 * float(stdtr(error.degrees, -abs(self.mean) / error.standard_error)) if error.standard_error else 1.0
            for error in self.errors
        )


def over_seeds(values: Sequence[float]) -> Estimate:
    """The mean of one value for each seed (Student, 1908).

    Raises:
        ValueError: there is no value.
    """
    if not len(values):
        raise ValueError("an estimate needs at least one value")
    count = len(values)
    if count == 1:
        return Estimate(float(values[0]), ())
    deviation = float(np.std(values, ddof=1))
    if deviation <= ROUNDING * max(map(abs, values)):
        deviation = 0.0
    return Estimate(float(np.mean(values)), (Error(deviation / sqrt(count), count - 1),))


def over_seeds_and_images(values: np.ndarray) -> Estimate:
    """The mean of values of the same images under each seed, for new seeds and new images (Cornfield and Tukey, 1956).

    Args:
        values: (seeds, images).
    """
    seeds, images = values.shape
    of_seeds = over_seeds(values.mean(1).tolist())
    if seeds == 1 or images == 1:
        return of_seeds
    by_seed, by_image, mean = values.mean(1), values.mean(0), values.mean()
    residual = values - by_seed[:, None] - by_image + mean
    squares = {
        "seed": images * ((by_seed - mean) ** 2).sum() / (seeds - 1),
        "image": seeds * ((by_image - mean) ** 2).sum() / (images - 1),
        "residual": (residual**2).sum() / ((seeds - 1) * (images - 1)),
    }
    terms = [
        (squares["seed"], seeds - 1),
        (squares["image"], images - 1),
        (-squares["residual"], (seeds - 1) * (images - 1)),
    ]
    return Estimate(of_seeds.mean, (*of_seeds.errors, *_combined(terms, seeds * images)))


def over_seeds_and_halves(full: np.ndarray, halves: np.ndarray) -> Estimate:
    """The mean of a value of all images under each seed, whose error over images comes from half-samples of them.

    Over random halves of n images, a value varies as it does over new samples of n images (McCarthy, 1969).

    Args:
        full: (seeds,), of all images.
        halves: of half of them, the same halves for every seed, (seeds, halves).
    """
    seeds, count = halves.shape
    of_seeds = over_seeds(full.tolist())
    if seeds == 1 or count == 1:
        return of_seeds
    by_half = halves.mean(0)
    residual = halves - halves.mean(1, keepdims=True) - by_half + halves.mean()
    terms = [
        (float(np.var(full, ddof=1)) / seeds, seeds - 1),
        (float(by_half.var(ddof=1)), count - 1),
        (-float((residual**2).sum()) / ((seeds - 1) * (count - 1)) / seeds, (seeds - 1) * (count - 1)),
    ]
    return Estimate(of_seeds.mean, (*of_seeds.errors, *_combined(terms, 1)))


def _combined(terms: Sequence[tuple[float, float]], count: int) -> tuple[Error, ...]:
    """The error whose square is the sum of mean squares / count, with Satterthwaite's (1946) degrees of freedom."""
    variance = sum(square for square, _ in terms)
    if variance <= 0 or not isfinite(variance):
        return ()
    degrees = variance**2 / sum(square**2 / of for square, of in terms)
    return (Error(sqrt(variance / count), max(degrees, 1.0)),)


def estimate_of(values: Sequence[float], parts: Sequence[Sequence[float]]) -> Estimate:
    """The mean of one value for each seed, for new images too if each seed has the means of the same parts of them.

    Args:
        values: of the seeds.
        parts: means over parts of the images for each seed; none, or unequal numbers of them, if they are not known.
    """
    whole = len(parts) == len(values) and len({len(each) for each in parts}) == 1 and len(parts[0]) > 1
    found = over_seeds_and_images(np.array(parts)) if whole else over_seeds(values)
    return found._replace(mean=float(np.mean(values)))


def detectable(deviation: float, seeds: int, level: float = 0.05, power: float = 0.8) -> float | None:
    """The smallest difference that a paired t-test of so many seeds finds with probability `power`; None for a single seed.

    Args:
        deviation: standard deviation of the difference over seeds.
        seeds: that both variants run.
        level: of the test.
        power: probability to find it.
    """
    from scipy.special import nctdtr, stdtrit

    if seeds < 2:
        return None
    critical = float(stdtrit(seeds - 1, 1 - level / 2))
    low, high = 0.0, 10.0 * critical
    for _ in range(60):
        middle = (low + high) / 2
        missed = float(nctdtr(seeds - 1, middle, critical))
        low, high = (middle, high) if missed > 1 - power else (low, middle)
    return deviation * high / sqrt(seeds)


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
