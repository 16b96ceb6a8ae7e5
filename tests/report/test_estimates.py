"""Intervals over seeds and images, by simulation and against closed forms."""

from math import sqrt

import numpy as np
import pytest

from vaeline.report.estimates import Estimate, holm, over_seeds, over_seeds_and_halves, over_seeds_and_images

STUDIES = 1500


def simulated(seeds: int, images: int, share: float, generator: np.random.Generator) -> np.ndarray:
    """Values whose mean, 0, varies by 1, `share` of it over seeds: (seeds, images)."""
    of_images = sqrt((1 - share) * images)
    return (
        sqrt(share * seeds) * generator.standard_normal((seeds, 1))
        + of_images * generator.standard_normal(images)
        + of_images / 3 * generator.standard_normal((seeds, images))
    )


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 0.9, 1.0])
@pytest.mark.parametrize("seeds", [3, 5])
def test_intervals_cover_wherever_the_variance_is(seeds: int, share: float) -> None:
    generator = np.random.default_rng(seeds)
    found = [over_seeds_and_images(simulated(seeds, 60, share, generator)) for _ in range(STUDIES)]
    covered = np.mean([abs(each.mean) <= (each.half_width() or 0) for each in found])
    assert 0.93 <= covered <= 0.97


def test_seeds_alone_miss_where_images_hold_the_variance() -> None:
    generator = np.random.default_rng(0)
    found = [over_seeds(simulated(3, 60, 0.0, generator).mean(1)) for _ in range(STUDIES)]
    assert np.mean([abs(each.mean) <= (each.half_width() or 0) for each in found]) < 0.8


@pytest.mark.parametrize("share", [0.0, 0.5, 0.9])
def test_halves_of_the_images_tell_as_much_as_the_images(share: float) -> None:
    generator, images = np.random.default_rng(1), 60
    covered = 0
    for _ in range(STUDIES):
        values = simulated(3, images, share, generator)
        halves = [generator.permutation(images)[: images // 2] for _ in range(40)]
        found = over_seeds_and_halves(values.mean(1), np.stack([values[:, half].mean(1) for half in halves], 1))
        covered += abs(found.mean) <= (found.half_width() or 0)
    assert 0.93 <= covered / STUDIES <= 0.975


def test_a_p_value_is_the_level_of_the_interval_that_touches_zero() -> None:
    generator = np.random.default_rng(2)
    found = over_seeds_and_images(simulated(4, 30, 0.5, generator) + 2)
    p_value = found.p_value()
    assert p_value is not None
    assert found.half_width(p_value) == pytest.approx(abs(found.mean))


def test_one_seed_has_neither_interval_nor_p_value() -> None:
    found = over_seeds_and_images(np.ones((1, 5)))
    assert (found.mean, found.half_width(), found.p_value()) == (1, None, None)


def test_seeds_that_agree_to_the_last_digit_reject_nothing() -> None:
    found = over_seeds([2.0, 2.0, 2.0])
    assert (found.half_width(), found.p_value()) == (0, 1)
    assert over_seeds([0.0, 0.0]).p_value() == 1
    rounded = over_seeds([0.1] * 3)  # whose standard deviation comes out as 1e-17
    assert (rounded.half_width(), rounded.p_value()) == (0, 1)
    of_images = over_seeds_and_images(np.array([[1.0, 3.0, 2.0]] * 3))  # the seeds agree, the images do not
    assert (of_images.half_width(), of_images.p_value()) == (0, 1)


def test_holm_levels_reject_as_holm_does_and_agree_with_the_intervals() -> None:
    # The first is under 0.05 / 4, the second under 0.05 / 3, the third is not under 0.05 / 2, so that the fourth is not looked at.
    assert holm([0.001, 0.03, 0.012, 0.04]) == pytest.approx([0.0125, 0.025, 0.05 / 3, 0.025])
    assert holm([]) == []


@pytest.mark.parametrize("variants", [2, 3, 6])
def test_studies_of_equal_variants_seldom_claim_anything(variants: int) -> None:
    generator, seeds, images = np.random.default_rng(variants), 5, 40
    claims = 0
    for _ in range(400):
        values = [simulated(seeds, images, 0.5, generator) for _ in range(variants)]
        pairs = [over_seeds_and_images(a - b) for i, a in enumerate(values) for b in values[:i]]
        p_values = [pair.p_value() or 0.0 for pair in pairs]
        claims += any(p <= level for p, level in zip(p_values, holm(p_values), strict=True))
    assert claims / 400 <= 0.07


def test_an_estimate_takes_its_wider_interval() -> None:
    wide, narrow = over_seeds([0.0, 10.0]), over_seeds([4.0, 5.0, 6.0])
    both = Estimate(5.0, (*wide.errors, *narrow.errors))
    assert both.half_width() == max(wide.half_width() or 0, narrow.half_width() or 0)
