"""How a mean of shares deviates on halves of the images, against the binomial variance."""

import numpy as np
import pytest

from vaeline.metrics._shares import deviations
from vaeline.metrics.condition_accuracy import balanced_accuracy

GROUPS = np.repeat([0, 1, 2, -1], [100, 300, 600, 50])


def judgments(seed: int = 0) -> np.ndarray:
    """Independent judgments, of which a part that depends on the group is right."""
    return np.random.default_rng(seed).random(len(GROUPS)) < np.array([0.9, 0.5, 0.7, 0.1])[GROUPS]


def random_halves(count: int, pairs: int) -> np.ndarray:
    generator = np.random.default_rng(1)
    return np.stack([generator.permutation(np.arange(count) < count // 2) for _ in range(pairs)])


def test_deviations_have_the_binomial_variance() -> None:
    met = judgments()
    found = deviations(met, GROUPS, random_halves(len(met), 4000))
    shares = [(met[group == GROUPS].mean(), (group == GROUPS).sum()) for group in range(3)]
    expected = sum(share * (1 - share) / count for share, count in shares) / 3**2
    assert (found**2).mean() == pytest.approx(expected, rel=0.1)
    assert abs(found.mean()) < 4 * expected**0.5 / 4000**0.5


def test_deviations_are_half_the_difference_of_the_accuracies_of_halves() -> None:
    met, halves = judgments(), random_halves(len(GROUPS), 100)
    seen = np.where(met, GROUPS, 9)
    exact = [
        (balanced_accuracy(seen[half], GROUPS[half]) - balanced_accuracy(seen[~half], GROUPS[~half])) / 2
        for half in halves
    ]
    assert np.std(deviations(met, GROUPS, halves) - exact) < 0.1 * np.std(exact)


def test_a_value_that_a_half_lacks_deviates_too() -> None:
    met, groups = np.array([True, False, True, True]), np.array([0, 0, 1, 1])
    halves = np.array([[True, True, False, False], [True, False, True, False]])
    assert deviations(met, groups, halves).tolist() == [0, 0.25]


def test_shares_of_one_or_none_do_not_deviate() -> None:
    for met in (np.ones(len(GROUPS), bool), np.zeros(len(GROUPS), bool)):
        assert not deviations(met, GROUPS, random_halves(len(met), 3)).any()
