"""Paired differences against tabulated quantiles."""

from math import sqrt

import pytest

from vaeline.report.estimates import RunValue
from vaeline.report.paired_differences import Pair, paired_difference


def compared(values: dict[str, dict[int, float]], higher_is_better: bool = False) -> Pair:
    one, other = values
    of_runs = {variant: {seed: RunValue(value) for seed, value in of.items()} for variant, of in values.items()}
    return paired_difference(one, other, of_runs, higher_is_better)


def test_the_seeds_that_both_ran_are_paired() -> None:
    values = {"one": {0: 10.0, 1: 110.0, 2: 1.0, 7: -99.0}, "two": {0: 12.0, 1: 113.0, 2: 2.0, 8: 99.0}}
    pair = compared(values)
    assert pair.difference == pytest.approx(-2.0)
    assert pair.half_width == pytest.approx(4.302652730 / sqrt(3))
    assert (pair.seeds, pair.won, pair.lost) == (3, 3, 0)


def test_a_tie_has_no_winner() -> None:
    values = {"one": {0: 1.0, 1: 2.0, 2: 3.0}, "two": {0: 1.0, 1: 1.0, 2: 4.0}}
    assert compared(values).won == 1
    assert compared({"two": values["two"], "one": values["one"]}).won == 1


def test_the_higher_value_wins_if_higher_is_better() -> None:
    values = {"one": {0: 0.9, 1: 0.8}, "two": {0: 0.5, 1: 0.6}}
    assert compared(values, higher_is_better=True).won == 2


def test_variants_without_a_common_seed_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        compared({"one": {0: 1.0}, "two": {1: 1.0}})


def test_a_turned_pair_swaps_winners_and_sign() -> None:
    pair = compared({"one": {0: 1.0, 1: 2.0}, "two": {0: 4.0, 1: 9.0}})
    turned = pair.turned()
    assert (turned.first, turned.second, turned.difference) == ("two", "one", -pair.difference)
    assert (turned.won, turned.lost) == (pair.lost, pair.won) == (0, 2)


def test_pairs_are_of_one_seed_one_image_and_one_classifier() -> None:
    """What an image or a classifier does to both variants is no part of their difference."""
    shift = [0.0, 10.0, -20.0]
    runs = {
        variant: {
            seed: RunValue(
                better,
                [each + better for each in shift],
                [],
                {str(judge): each + better for judge, each in enumerate(shift)},
            )
            for seed, better in enumerate(values)
        }
        for variant, values in {"one": [1.0, 1.2, 1.1], "two": [2.0, 2.4, 2.1]}.items()
    }
    pair = paired_difference("one", "two", runs)
    assert pair.over == ["seeds", "images", "classifiers"] and pair.significant
    alone = compared({variant: {seed: each.value for seed, each in of.items()} for variant, of in runs.items()})
    assert pair.half_width == pytest.approx(alone.half_width) and alone.over == ["seeds"]


def test_runs_of_other_classifiers_are_compared_over_seeds_alone() -> None:
    runs = {
        variant: {seed: RunValue(value + seed, by_judge={judge: value, "7": value}) for seed in range(3)}
        for variant, value, judge in (("one", 1.0, "0"), ("two", 3.0, "1"))
    }
    assert paired_difference("one", "two", runs).over == ["seeds"]


@pytest.mark.parametrize("parts", [[], [1.9, 2.1], [2.0]])
def test_seeds_that_agree_are_never_significantly_different(parts: list[float]) -> None:
    runs = {
        "one": dict.fromkeys((0, 1, 2), RunValue(2.0, parts)),
        "two": dict.fromkeys((0, 1, 2), RunValue(0.1, [0.1] * len(parts))),
    }
    pair = paired_difference("one", "two", runs)
    assert pair.half_width == 0 and pair.p_value == 1
    assert not pair.significant and not pair.at_level(0.5).significant
