"""Paired differences against tabulated quantiles."""

from math import sqrt

import pytest

from vaeline.report.paired_differences import paired_difference


def test_the_seeds_that_both_ran_are_paired() -> None:
    values = {"one": {0: 10.0, 1: 110.0, 2: 1.0, 7: -99.0}, "two": {0: 12.0, 1: 113.0, 2: 2.0, 8: 99.0}}
    pair = paired_difference("one", "two", values)
    assert pair.difference == pytest.approx(-2.0)
    assert pair.half_width == pytest.approx(4.302652730 / sqrt(3))
    assert (pair.seeds, pair.won, pair.lost) == (3, 3, 0)


def test_a_tie_has_no_winner() -> None:
    values = {"one": {0: 1.0, 1: 2.0, 2: 3.0}, "two": {0: 1.0, 1: 1.0, 2: 4.0}}
    assert paired_difference("one", "two", values).won == 1
    assert paired_difference("two", "one", values).won == 1


def test_the_higher_value_wins_if_higher_is_better() -> None:
    values = {"one": {0: 0.9, 1: 0.8}, "two": {0: 0.5, 1: 0.6}}
    assert paired_difference("one", "two", values, higher_is_better=True).won == 2


def test_variants_without_a_common_seed_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        paired_difference("one", "two", {"one": {0: 1.0}, "two": {1: 1.0}})


def test_a_turned_pair_swaps_winners_and_sign() -> None:
    pair = paired_difference("one", "two", {"one": {0: 1.0, 1: 2.0}, "two": {0: 4.0, 1: 9.0}})
    turned = pair.turned()
    assert (turned.first, turned.second, turned.difference) == ("two", "one", -pair.difference)
    assert (turned.won, turned.lost) == (pair.lost, pair.won) == (0, 2)


@pytest.mark.parametrize("parts", [None, [1.9, 2.1], [2.0]])
def test_seeds_that_agree_are_never_significantly_different(parts: list[float] | None) -> None:
    values = {"one": dict.fromkeys((0, 1, 2), 2.0), "two": dict.fromkeys((0, 1, 2), 0.1)}
    known = parts and {"one": dict.fromkeys((0, 1, 2), parts), "two": dict.fromkeys((0, 1, 2), [0.1] * len(parts))}
    pair = paired_difference("one", "two", values, parts=known)
    assert pair.half_width == 0 and not pair.significant and not pair.at_level(0.5).significant
