"""Seeds are planned from variances, checked against the report's own numbers and by simulation."""

from math import inf, sqrt

import numpy as np
import pytest
from scipy import stats

from vaeline.report.estimates import CLASSIFIERS, SEEDS, Error, Estimate, RunValue
from vaeline.report.paired_differences import Pair, paired_difference
from vaeline.report.power import SURE, Claim


def pair(seeds: int, of_images: float = 0.0, shift: float = 0.0) -> Pair:
    """Two variants whose difference varies by 1 over seeds, and by `of_images` over 32 parts of the images."""
    generator = np.random.default_rng(seeds)
    over_seeds = generator.standard_normal(seeds)
    parts = (
        over_seeds[:, None] + of_images * generator.standard_normal(32) + 0.1 * generator.standard_normal((seeds, 32))
    )
    by_variant = {"one": parts + shift, "two": np.zeros_like(parts)}
    runs = {
        variant: {seed: RunValue(float(row.mean()), row.tolist()) for seed, row in enumerate(each)}
        for variant, each in by_variant.items()
    }
    return paired_difference("one", "two", runs)


@pytest.mark.parametrize("of_images", [0.0, 1.0, 20.0])
@pytest.mark.parametrize("seeds", [2, 3, 6])
def test_the_seeds_that_were_run_find_what_the_report_says(seeds: int, of_images: float) -> None:
    found = pair(seeds, of_images).at_level(0.01)
    assert Claim.of("nll", found).detectable(seeds, 0.01, 0.8) == pytest.approx(found.detectable, rel=1e-3)


@pytest.mark.parametrize("of_judges", [0.1, 1.0, 20.0])
def test_classifiers_stay_as_they_are(of_judges: float) -> None:
    """Seeds do not reduce what three classifiers leave open, of which two degrees of freedom are known."""
    generator = np.random.default_rng(1)
    over_seeds, over_judges = generator.standard_normal(5), of_judges * generator.standard_normal(3)
    zero = RunValue(0.0, by_judge=dict.fromkeys("abc", 0.0))
    ones = [
        RunValue(
            float(seed + over_judges.mean()), by_judge=dict(zip("abc", (seed + over_judges).tolist(), strict=True))
        )
        for seed in over_seeds
    ]
    found = paired_difference(
        "one", "two", {"one": dict(enumerate(ones)), "two": dict.fromkeys(range(5), zero)}
    ).at_level(0.01)
    assert len(found.errors) == 3
    claim = Claim.of("kd_sample", found)
    assert claim.detectable(5, 0.01, 0.8) == pytest.approx(found.detectable)
    alone = Estimate(0.0, (Error(float(over_judges.std(ddof=1)) / sqrt(3), 2, CLASSIFIERS),)).detectable(0.01, 0.8)
    assert alone is not None and claim.detectable(10_000, 0.01, 0.8) >= alone * 0.999


def test_classifiers_are_told_from_all_together() -> None:
    """Where the summed variance is below 0, there is no error of all together, and that of the classifiers is not taken for it."""
    found = pair(3).model_copy(update={"errors": [(1.0, 2.0, SEEDS), (0.5, 2.0, CLASSIFIERS)], "deviation": 3**0.5})
    claim = Claim.of("kd_sample", found)
    assert claim.fixed == (0.0, 0.0) and [error.of for error in claim.alone] == [CLASSIFIERS]
    assert claim.detectable(3, 0.05, 0.8) == pytest.approx(found.estimate.detectable(0.05, 0.8), rel=1e-3)


def test_more_seeds_never_find_less() -> None:
    """Also where images seem to add nothing, because their interaction with the seeds is as large: errors of a comparison of digits."""
    errors = [(0.0268, 4.0, SEEDS), (0.0264, 2.24, "together")]
    claim = Claim.of("fd_reconstruction", pair(5).model_copy(update={"errors": errors, "deviation": 0.0268 * sqrt(5)}))
    found = [claim.detectable(seeds, 0.01, 0.8) for seeds in (5, 8, 10, 20, 50, 1000)]
    assert found == sorted(found, reverse=True)


def test_a_plan_does_not_depend_on_the_difference() -> None:
    one, other = (Claim.of("nll", pair(4, 2.0, shift)) for shift in (0.0, -1000.0))
    assert one.detectable(7, 0.05, 0.8) == pytest.approx(other.detectable(7, 0.05, 0.8))


@pytest.mark.parametrize(("seeds", "deviations"), [(3, 3.26), (5, 1.68), (8, 1.16)])
def test_known_factors_of_the_paired_t_test(seeds: int, deviations: float) -> None:
    claim = Claim("nll", ("one", "two"), 3, 2.0)
    assert claim.detectable(seeds, 0.05, 0.8) == pytest.approx(2.0 * deviations, rel=0.01)


def test_the_difference_is_found_as_often_as_planned() -> None:
    seeds, generator = 5, np.random.default_rng(0)
    wanted = Claim("nll", ("one", "two"), 3, 1.0).detectable(seeds, 0.01, 0.7)
    values = wanted + generator.standard_normal((20_000, seeds))
    assert (stats.ttest_1samp(values, 0, axis=1).pvalue <= 0.01).mean() == pytest.approx(0.7, abs=0.015)


def test_the_fewest_seeds_that_find_a_difference() -> None:
    claim = Claim.of("nll", pair(4, 1.0))
    needed = claim.needed(1.2, 0.01, 0.8)
    assert needed is not None and needed > 2
    assert claim.detectable(needed, 0.01, 0.8) <= 1.2 < claim.detectable(needed - 1, 0.01, 0.8)
    assert claim.needed(inf, 0.01, 0.8) == 2


def test_no_number_of_seeds_makes_up_for_few_images() -> None:
    claim = Claim.of("nll", pair(3, 20.0))
    error = sqrt(claim.fixed[0])  # what is left with any number of seeds
    assert error == pytest.approx(20 / sqrt(32), rel=0.3)
    assert claim.needed(2.5 * error, 0.05, 0.8) is None
    assert claim.needed(3.5 * error, 0.05, 0.8) is not None


@pytest.mark.parametrize("seeds", [2, 3, 10])
def test_the_limit_of_a_deviation_holds_as_often_as_it_says(seeds: int) -> None:
    drawn = np.random.default_rng(seeds).standard_normal((20_000, seeds)).std(1, ddof=1)
    factor = Claim("nll", ("one", "two"), seeds, 1.0).at_its_limit().deviation
    assert (factor * drawn >= 1).mean() == pytest.approx(SURE, abs=0.01)


def test_seeds_that_agree_need_no_more() -> None:
    claim = Claim("nll", ("one", "two"), 3, 0.0)
    assert (claim.detectable(5, 0.05, 0.8), claim.needed(0.1, 0.05, 0.8)) == (0.0, 2)
