"""Which pairs a comparison holds: all claims, and of the rest so many as there are variants."""

from itertools import combinations, pairwise

import numpy as np
import pytest

from benchmarks.made_up_studies import of_values
from vaeline.report.compare import compare
from vaeline.report.comparison import Comparison
from vaeline.report.kept_pairs import shown
from vaeline.report.power import holds_claims
from vaeline.report.strips import strips_of

CLAIMED, EXPLORED = "nll", "recall"


def compared(variants: int, baseline: int | None = None) -> Comparison:
    """A study of variants whose nll rises with their number, and whose recall falls."""
    values = np.arange(variants)[:, None] + np.array([[0.0, 0.1, 0.3]]) * (1 + np.arange(variants)[:, None])
    found = of_values({CLAIMED: values, EXPLORED: -values}, {})
    section = found.study.model_copy(update={"baseline": None if baseline is None else found.study.variants[baseline]})
    return compare(found.__class__(section, found.runs, {}))


def pairs(comparison: Comparison, name: str) -> set[tuple[int, int]]:
    """The places of the variants of each pair."""
    places = {variant: place for place, variant in enumerate(comparison.variants)}
    return {(places[pair.first], places[pair.second]) for pair in comparison.metrics[name].pairs}


def test_few_variants_are_shown_each_with_each() -> None:
    assert shown(["a", "b", "c"]) == [("a", "b"), ("a", "c"), ("b", "c")]


def test_many_variants_are_shown_with_the_best_and_the_next() -> None:
    ranking = ["a", "b", "c", "d", "e", "f", "g"]
    with_best, with_next = [("a", other) for other in ranking[1:]], list(pairwise(ranking[1:]))
    assert shown(ranking) == [*with_best, *with_next]


@pytest.mark.parametrize("baseline", [None, 3])
def test_few_variants_are_compared_each_with_each(baseline: int | None) -> None:
    found = compared(6, baseline)
    assert pairs(found, CLAIMED) == pairs(found, EXPLORED) == set(combinations(range(6), 2))


def test_without_a_baseline_every_pair_of_a_primary_metric_is_a_claim() -> None:
    found = compared(9)
    assert pairs(found, CLAIMED) == set(combinations(range(9), 2))
    assert all(pair.claimed for pair in found.metrics[CLAIMED].pairs)
    assert pairs(found, EXPLORED) == {(0, other) for other in range(1, 9)}


def test_with_a_baseline_the_pairs_grow_as_the_variants() -> None:
    found = compared(9, baseline=4)
    of_baseline = {tuple(sorted((4, other))) for other in range(9) if other != 4}
    assert pairs(found, EXPLORED) == of_baseline | {(0, other) for other in range(1, 9)}
    assert pairs(found, CLAIMED) == pairs(found, EXPLORED) | set(pairwise(range(9)))
    assert {pair.claimed for pair in found.metrics[CLAIMED].pairs if found.baseline in (pair.first, pair.second)} == {
        True
    }


@pytest.mark.parametrize("baseline", [None, 4])
def test_the_page_has_every_pair_that_it_shows(baseline: int | None) -> None:
    found = compared(9, baseline)
    ranking = found.variants  # lower is better
    assert strips_of(found, CLAIMED).total == len(shown(ranking))


def test_a_plan_with_other_claims_reads_the_runs_again() -> None:
    found = compared(9, baseline=4)
    study = of_values({CLAIMED: np.zeros((9, 3))}, {}).study
    assert holds_claims(found, study.model_copy(update={"baseline": found.baseline}))
    assert not holds_claims(found, study)
    assert not holds_claims(compared(9), study.model_copy(update={"primary": [EXPLORED]}))
    assert holds_claims(compared(9), study) and holds_claims(compared(5, baseline=4), study)
