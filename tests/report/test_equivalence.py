"""Whether a value equals a published one: no wide interval passes, and what differs by the margin passes rarely."""

import numpy as np
import pytest

from vaeline.report.equivalence import FromPublished, difference, verdict
from vaeline.report.estimates import RunValue


def found(values: np.ndarray, published: float, error: float = 0.0) -> FromPublished:
    """The difference of runs with images, (seeds, images)."""
    runs = [RunValue(float(row.mean()), row.tolist()) for row in values]
    return difference(runs, [None] * len(runs), published, error)


@pytest.mark.parametrize(
    ("value", "half_width", "outcome"),
    [(0.2, 0.1, "pass"), (-0.9, 0.1, "pass"), (0.95, 0.1, "undecided"), (0.0, 1.1, "undecided"), (0.0, 1e9, "undecided"),
     (1.2, 0.1, "fail"), (-1.2, 0.1, "fail"), (1.2, 0.3, "undecided"), (0.0, None, "undecided")],
)  # fmt: skip
def test_an_interval_decides_only_on_one_side_of_the_margin(
    value: float, half_width: float | None, outcome: str
) -> None:
    assert verdict(FromPublished(value, half_width, ()), 1.0).outcome == outcome


@pytest.mark.parametrize("seeds", [1, 3])
def test_of_values_that_differ_by_the_margin_one_in_twenty_passes(seeds: int) -> None:
    generator, studies = np.random.default_rng(seeds), 600
    shared = generator.standard_normal((studies, 1, 32))
    values = 90 + 0.3 * generator.standard_normal((studies, seeds, 1)) * (seeds > 1) + 0.5 * shared
    passed = [verdict(found(each, 89.0), 1.0).outcome == "pass" for each in values]
    failed = [verdict(found(each, 90.0), 1.0).outcome == "fail" for each in values]
    assert np.mean(passed) < 0.08 and np.mean(failed) < 0.01


def test_the_error_of_the_published_value_widens_the_interval() -> None:
    values = np.random.default_rng(0).standard_normal((1, 32))
    sure, unsure = found(values, 0.0), found(values, 0.0, error=1.0)
    assert sure.half_width and unsure.half_width == pytest.approx(np.hypot(sure.half_width, 1.645), rel=1e-3)


def test_seeds_that_agree_and_a_value_without_an_error_decide_nothing() -> None:
    assert verdict(found(np.ones((2, 1)), 1.0), 1.0).outcome == "undecided"
    assert verdict(difference([RunValue(1.0)], [None], 1.0, 0.0), 1.0).outcome == "undecided"
    assert verdict(difference([RunValue(1.0)], [0.1], 1.0, 0.0), 1.0).outcome == "pass"
