"""Intervals over seeds and images, by simulation and against closed forms."""

from math import sqrt

import numpy as np
import pytest

from vaeline.evaluation.halves import PAIRS
from vaeline.report.estimates import Estimate, RunValue, crossed, estimate_of, holm

STUDIES = 1500


def simulated(seeds: int, images: int, share: float, generator: np.random.Generator) -> np.ndarray:
    """Values whose mean, 0, varies by 1, `share` of it over seeds: (seeds, images)."""
    of_images = sqrt((1 - share) * images)
    return (
        sqrt(share * seeds) * generator.standard_normal((seeds, 1))
        + of_images * generator.standard_normal(images)
        + of_images / 3 * generator.standard_normal((seeds, images))
    )


def crossed_with(images: np.ndarray) -> Estimate:
    """The mean of values of the same images under each seed, (seeds, images)."""
    return crossed(images.mean(1).tolist(), images=images)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 0.9, 1.0])
@pytest.mark.parametrize("seeds", [3, 5])
def test_intervals_cover_wherever_the_variance_is(seeds: int, share: float) -> None:
    generator = np.random.default_rng(seeds)
    found = [crossed_with(simulated(seeds, 60, share, generator)) for _ in range(STUDIES)]
    covered = np.mean([abs(each.mean) <= (each.half_width() or 0) for each in found])
    assert 0.93 <= covered <= 0.97


@pytest.mark.parametrize("level", [0.05, 0.0025])
@pytest.mark.parametrize("seeds", [3, 5])
def test_draws_that_each_seed_makes_anew_cost_no_more_than_seeds_alone(seeds: int, level: float) -> None:
    """What images add is then 0, and often estimated below; that leaves the interval of the seeds, at any level."""
    generator = np.random.default_rng(seeds)
    wider, missed = [], 0
    for _ in range(STUDIES):
        values, draws = generator.standard_normal(seeds), generator.standard_normal((seeds, PAIRS))
        found, alone = crossed(values.tolist(), halves=draws), crossed(values.tolist())
        assert found.over == ("seeds", "images")
        width, of_seeds = found.half_width(level) or 0, alone.half_width(level) or 0
        assert width >= of_seeds and (
            width == of_seeds or found.errors[-1].standard_error > alone.errors[0].standard_error
        )
        wider.append(width / of_seeds)
        missed += abs(found.mean) > width
    assert np.median(wider) < 1.2 and missed / STUDIES <= 1.1 * level


def test_seeds_alone_miss_where_images_hold_the_variance() -> None:
    generator = np.random.default_rng(0)
    found = [crossed(simulated(3, 60, 0.0, generator).mean(1).tolist()) for _ in range(STUDIES)]
    assert np.mean([abs(each.mean) <= (each.half_width() or 0) for each in found]) < 0.8


@pytest.mark.parametrize("share", [0.0, 0.5, 0.9])
def test_halves_of_the_images_tell_as_much_as_the_images(share: float) -> None:
    generator, images = np.random.default_rng(1), 60
    covered = 0
    for _ in range(STUDIES):
        values = simulated(3, images, share, generator)
        halves = [generator.permutation(images) < images // 2 for _ in range(PAIRS)]
        pairs = np.stack([(values[:, half].mean(1) - values[:, ~half].mean(1)) / 2 for half in halves], 1)
        found = crossed(values.mean(1).tolist(), halves=pairs)
        covered += abs(found.mean) <= (found.half_width() or 0)
    assert 0.93 <= covered / STUDIES <= 0.975


def frechet(drawn: np.ndarray, real: np.ndarray) -> np.ndarray:
    """The Fréchet distance of numbers, along the last axis: biased, and the value of no single image."""
    return (drawn.mean(-1) - real.mean(-1)) ** 2 + (drawn.std(-1, ddof=1) - real.std(-1, ddof=1)) ** 2


@pytest.mark.parametrize("of_seeds", [0.0, 0.1, 0.3])
@pytest.mark.parametrize("seeds", [3, 5])
def test_halves_give_intervals_of_frechet_distances(seeds: int, of_seeds: float) -> None:
    """Models whose shift varies by `of_seeds` over seeds draw images that are compared with the same test images."""
    generator, images = np.random.default_rng(seeds), 80
    noise = generator.standard_normal
    real, halves = noise((STUDIES, 1, images)), [generator.permutation(images) < images // 2 for _ in range(PAIRS)]
    values, pairs = [], []
    for shift in (2.0, 2.3):
        drawn = shift + of_seeds * noise((STUDIES, seeds, 1)) + noise((STUDIES, seeds, images))
        values.append(frechet(drawn, real))
        of_halves = [[frechet(drawn[..., each], real[..., each]) for each in (half, ~half)] for half in halves]
        pairs.append(np.stack([(first - second) / 2 for first, second in of_halves], -1))
    assert 0.93 <= coverage(values[0], pairs[0]) <= 0.975
    assert 0.93 <= coverage(values[0] - values[1], pairs[0] - pairs[1]) <= 0.985
    if not of_seeds:
        assert coverage(values[0], np.empty((STUDIES, seeds, 0))) < 0.9  # by seeds alone


def coverage(values: np.ndarray, pairs: np.ndarray) -> float:
    """The share of studies, (studies, seeds) and (studies, seeds, pairs), whose interval has the mean over studies in it."""
    found = [crossed(*study) for study in zip(values.tolist(), [None] * len(values), pairs, strict=True)]
    return float(np.mean([abs(each.mean - values.mean()) <= (each.half_width() or 0) for each in found]))


def test_seeds_are_given_an_error_over_images_only_if_all_have_one() -> None:
    values, pairs = [1.0, 2.0, 4.0], [[0.1, -0.2], [0.3, 0.2], [0.0, 0.1]]

    def found(halves: list[list[float]]) -> Estimate:
        return estimate_of([RunValue(value, halves=of) for value, of in zip(values, halves, strict=True)])

    assert found(pairs) == crossed(values, halves=np.array(pairs))
    for incomplete in ([[], [], []], [[0.1], [0.1, 0.2], [0.1]], [*pairs[:2], []]):
        assert found(incomplete) == crossed(values)


def test_a_p_value_is_the_level_of_the_interval_that_touches_zero() -> None:
    generator = np.random.default_rng(2)
    found = crossed_with(simulated(4, 30, 0.5, generator) + 2)
    p_value = found.p_value()
    assert p_value is not None
    assert found.half_width(p_value) == pytest.approx(abs(found.mean))


def test_one_seed_has_neither_interval_nor_p_value() -> None:
    found = crossed_with(np.ones((1, 5)))
    assert (found.mean, found.half_width(), found.p_value()) == (1, None, None)


def test_seeds_that_agree_to_the_last_digit_reject_nothing() -> None:
    found = crossed([2.0, 2.0, 2.0])
    assert (found.half_width(), found.p_value()) == (0, 1)
    assert crossed([0.0, 0.0]).p_value() == 1
    rounded = crossed([0.1] * 3)  # whose standard deviation comes out as 1e-17
    assert (rounded.half_width(), rounded.p_value()) == (0, 1)
    of_images = crossed_with(np.array([[1.0, 3.0, 2.0]] * 3))  # the seeds agree, the images do not
    assert (of_images.half_width(), of_images.p_value()) == (0, 1)


def test_holm_levels_reject_as_holm_does_and_agree_with_the_intervals() -> None:
    # The first is under 0.05 / 4, the second under 0.05 / 3, the third is not under 0.05 / 2, so that the fourth is not looked at.
    assert holm([0.001, 0.03, 0.012, 0.04]) == pytest.approx([0.0125, 0.025, 0.05 / 3, 0.025])
    assert holm([]) == []


def test_an_estimate_takes_its_wider_interval() -> None:
    wide, narrow = crossed([0.0, 10.0]), crossed([4.0, 5.0, 6.0])
    both = Estimate(5.0, (*wide.errors, *narrow.errors))
    assert both.half_width() == max(wide.half_width() or 0, narrow.half_width() or 0)


@pytest.mark.parametrize("share", [0.0, 0.5, 0.9, 1.0])
@pytest.mark.parametrize(("seeds", "judges"), [(3, 2), (3, 3), (5, 3), (5, 5)])
def test_intervals_cover_new_seeds_and_new_classifiers(seeds: int, judges: int, share: float) -> None:
    """`share` of the variance is over seeds, the rest over classifiers; the two together add a hundredth."""
    generator, covered = np.random.default_rng(judges), 0
    for _ in range(STUDIES):
        values = (
            sqrt(share * seeds) * generator.standard_normal((seeds, 1))
            + sqrt((1 - share) * judges) * generator.standard_normal(judges)
            + 0.1 * sqrt(seeds * judges) * generator.standard_normal((seeds, judges))
        )
        found = crossed(values.mean(1).tolist(), judges=values)
        covered += abs(found.mean) <= (found.half_width() or 0)
    assert 0.94 <= covered / STUDIES <= 0.995


def test_seeds_alone_miss_what_a_classifier_does() -> None:
    generator = np.random.default_rng(0)
    found = [crossed((generator.standard_normal(3) + 3 * generator.standard_normal()).tolist()) for _ in range(STUDIES)]
    assert np.mean([abs(each.mean) <= (each.half_width() or 0) for each in found]) < 0.6


def test_images_and_classifiers_widen_an_interval_together() -> None:
    """Their variances add: seeds that agree show each alone, and both."""
    seeds = 3
    by_image, by_judge = np.tile([-3.0, 0.0, 3.0, 0.0], (seeds, 1)), np.tile([-1.0, 0.0, 1.0], (seeds, 1))
    found = crossed([0.0] * seeds, images=by_image, judges=by_judge)
    assert found.over == ("seeds", "images", "classifiers")
    assert found.errors[-1].standard_error ** 2 == pytest.approx(np.var([-3, 0, 3, 0], ddof=1) / 4 + 1 / 3)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7])
def test_intervals_cover_new_seeds_images_and_classifiers(share: float) -> None:
    """`share` of the variance is over images, a part of it under each classifier alone; the rest is over seeds and classifiers."""
    seeds, judges, images = 3, 3, 32
    generator, covered = np.random.default_rng(1), 0
    for _ in range(STUDIES):
        of_images = sqrt(share * images) * (
            generator.standard_normal((1, 1, images))
            + sqrt(judges) / 3 * generator.standard_normal((1, judges, images))
        )
        others = generator.standard_normal((seeds, 1, 1)) + generator.standard_normal((1, judges, 1))
        values = of_images + sqrt(1 - share) * others + 0.5 * generator.standard_normal((seeds, judges, images))
        found = crossed(values.mean((1, 2)).tolist(), images=values.mean(1), judges=values.mean(2))
        covered += abs(found.mean) <= (found.half_width() or 0)
    assert 0.94 <= covered / STUDIES <= 0.995


def test_classifiers_that_agree_to_the_last_digit_decide_nothing() -> None:
    values = np.repeat(np.array([[1.0], [2.0], [4.0]]), 3, axis=1)
    found = crossed(values.mean(1).tolist(), judges=values)
    alone = crossed(values.mean(1).tolist())
    assert found.half_width() == pytest.approx(alone.half_width()) and found.p_value() == pytest.approx(alone.p_value())


def test_runs_of_unlike_classifiers_or_parts_are_summarised_over_seeds() -> None:
    runs = [RunValue(1.0, [1.0, 2.0], [], {"0": 1.0, "1": 2.0}), RunValue(2.0, [1.0], [1.0], {"0": 1.0, "2": 2.0})]
    assert estimate_of(runs).over == ("seeds",)
    assert estimate_of(runs[:1]).over == ()
    for parts, halves in (([1.0, 2.0], []), ([], [0.5])):
        runs = [RunValue(value, parts, halves, {"1": 1.0, "0": value}) for value in (1.0, 2.0)]
        assert estimate_of(runs).over == ("seeds", "images", "classifiers")
