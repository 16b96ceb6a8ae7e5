"""The expected best of n trials: against every set of n of them, and where it is known in closed form."""

from itertools import combinations
from math import inf

import numpy as np
import pytest

from vaeline.report.expected_best import expected_best, orders


def test_it_is_the_mean_over_all_sets() -> None:
    scores = [3.0, -1.0, 7.5, 2.0, 2.0, 11.0]
    for n, found in enumerate(expected_best(scores), 1):
        assert found == pytest.approx(np.mean([min(chosen) for chosen in combinations(scores, n)]))


def test_it_is_unbiased_for_independent_trials() -> None:
    """The least of n uniform numbers is 1 / (n + 1) in the mean. With replacement, the estimate would be too high."""
    generator = np.random.default_rng(0)
    found = np.mean([expected_best(list(generator.random(6))) for _ in range(4000)], axis=0)
    np.testing.assert_allclose(found, [1 / (n + 1) for n in range(1, 7)], atol=0.01)


def test_a_failure_is_worse_than_any_score() -> None:
    assert expected_best([2.0, None, 4.0, None]) == [inf, inf, pytest.approx(2.5), 2.0]
    assert expected_best([None]) == [inf] and expected_best([]) == []


def test_orders_are_those_at_budgets_where_all_are_known() -> None:
    curves = {"a": [inf, 3.0, 1.0], "b": [2.0, 2.0, 2.0, 2.0]}
    assert orders(curves) == [("b", "a"), ("a", "b")]
    assert orders({}) == []
