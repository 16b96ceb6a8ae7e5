"""How much metrics of images would change with other images, from random halves of them (McCarthy, 1969)."""

import warnings
from collections.abc import Iterator, Sequence
from math import nan, sqrt
from typing import Any

import numpy as np

from vaeline.evaluation.image_features import part
from vaeline.metrics._images import Dash, ImageMetric, ImageSet, Measured, Parts, Results
from vaeline.system.seeds import derive_seed

PAIRS = 16  # of halves
DIGITS = 5  # of a deviation


def with_halves(metric: ImageMetric, results: Results, images: ImageSet, real: ImageSet) -> Results:
    """Add `halves` to results: for each pair of random halves of the images, half the difference of the values on the two halves.

    Over pairs of halves, half the difference varies as the value of all images varies over new images. The bias that comes with fewer
    images cancels. A half of the test images goes with the images that were made from them, or that have their labels. The halves
    depend on these test images and on nothing else, so that all runs of a study have the same ones. A result gets none if halves have too
    few images for it, or if it is a mean over labels some of which are missing in a half.

    Args:
        metric: a file of metrics.
        results: of all images.
        images: drawn images.
        real: the test images.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of few images, which matter for the value alone
            of_parts = _of_parts(metric, images, real, [half for pair in _pairs(images, real) for half in pair])
    except ValueError:
        return results
    found, pairs = dict(results), list(zip(of_parts[::2], of_parts[1::2], strict=True))
    for key, result in results.items():
        whole, halves = _measured(result), [(_measured(first[key]), _measured(second[key])) for first, second in pairs]
        if deviations := _deviations(whole, halves, len(images.features)):
            found[key] = whole._replace(how={**whole.how, "halves": deviations})
    return found


def _of_parts(metric: ImageMetric, images: ImageSet, real: ImageSet, parts: Parts) -> Sequence[Results]:
    """What a metric says of each part of the images."""
    if metric.measure_parts:
        return metric.measure_parts(images, real, parts)
    return [metric.measure(part(images, drawn), part(real, tested)) for drawn, tested in parts]


def _measured(result: float | Measured | Dash) -> Measured:
    """A result with a value, which is NaN for a dash."""
    if isinstance(result, Dash):
        return Measured(nan)
    return result if isinstance(result, Measured) else Measured(float(result))


def _deviations(whole: Measured, halves: Sequence[tuple[Measured, Measured]], rows: int) -> list[float]:
    """Half the difference of each two halves; none if a value is missing, or is a mean over other labels."""
    values = [(first.value - second.value) / 2 for first, second in halves]
    if not np.isfinite([whole.value, *values]).all() or any(
        _labels(each) != _labels(whole) for two in halves for each in two
    ):
        return []
    # A value may be of more images than its halves together, and then varies less, or of fewer, if their number has a limit.
    scales = [
        sqrt((_images(first, rows / 2) + _images(second, rows / 2)) / _images(whole, rows)) for first, second in halves
    ]
    return [rounded(scale * value) for scale, value in zip(scales, values, strict=True)]


def rounded(deviation: float) -> float:
    """A deviation as evaluation.json has it."""
    return float(f"{deviation:.{DIGITS}g}")


def _images(measured: Measured, rows: float) -> float:
    """How many images a value is of."""
    of: Any = measured.how.get("images", rows)
    return float(of)


def _labels(measured: Measured) -> set[str]:
    by_label: Any = measured.how.get("by_label", {})
    return set(by_label)


def _pairs(images: ImageSet, real: ImageSet) -> Iterator[Parts]:
    """Pairs of halves, each of drawn images and of test images."""
    _, made, sources = np.intersect1d(images.test_index, real.test_index, return_indices=True)
    others = np.setdiff1d(np.arange(len(real.test_index)), sources)
    for generator in _generators():
        of_images, of_real = _half(len(images.test_index), generator), np.zeros(len(real.test_index), bool)
        of_real[sources], of_real[others] = of_images[made], _half(len(others), generator)
        yield (of_images, of_real), (~of_images, ~of_real)


def random_halves(count: int) -> np.ndarray:
    """The first half of each pair, bool, (PAIRS, count): the same as of so many drawn images, whose features are all known."""
    return np.stack([_half(count, generator) for generator in _generators()])


def _generators() -> Iterator[np.random.Generator]:
    """The random numbers of each pair of halves."""
    return (np.random.default_rng(derive_seed("halves", pair)) for pair in range(PAIRS))


def _half(count: int, generator: np.random.Generator) -> np.ndarray:
    """A random half of `count` rows, bool, (count,)."""
    return generator.permutation(np.arange(count) < count // 2)
