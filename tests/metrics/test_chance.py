"""The test against chance, where its answer is known."""

from math import comb

import numpy as np
import pytest

from vaeline.metrics._chance import against_chance
from vaeline.metrics.condition_accuracy import balanced_accuracy


def test_right_answers_are_better_than_chance_and_guesses_are_not() -> None:
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 3, (90, 1))
    [right], [guessed] = (
        against_chance(predicted, labels, 0) for predicted in (labels, generator.integers(0, 3, (90, 1)))
    )
    assert right is not None and guessed is not None
    assert (right.balanced_accuracy, right.p) == (pytest.approx(1), 1 / 2000)  # none of 1,999 deals is as good
    assert guessed.p > 0.05


def test_the_p_value_is_the_share_of_deals_that_fit_as_well() -> None:
    """With four images of each value and perfect answers, one of 8 over 4 = 70 deals is right."""
    labels = np.repeat([0, 1], 4)[:, None]
    [found] = against_chance(labels, labels, 0, deals=20_000)
    assert found is not None
    assert found.p == pytest.approx(1 / comb(8, 4), abs=0.003)


@pytest.mark.parametrize(("count", "rare"), [(200, 10), (4, 2)])
def test_one_answer_for_all_images_is_chance_however_frequent_it_is(count: int, rare: int) -> None:
    labels = (np.arange(count) < rare).astype(int)[:, None]
    [found] = against_chance(np.zeros_like(labels), labels, 0)
    assert found is not None
    assert (found.balanced_accuracy, found.chance, found.p) == (pytest.approx(0.5), 0.5, 1)


def test_accuracies_are_balanced_and_chance_is_their_mean_over_deals() -> None:
    generator = np.random.default_rng(1)
    labels, predicted = (generator.choice(3, (60, 1), p=[0.6, 0.3, 0.1]) for _ in range(2))
    [found] = against_chance(predicted, labels, 0)
    assert found is not None
    assert found.balanced_accuracy == pytest.approx(balanced_accuracy(predicted, labels))
    dealt = [balanced_accuracy(generator.permutation(predicted), labels) for _ in range(4000)]
    assert found.chance == pytest.approx(np.mean(dealt), abs=0.01)


def test_no_column_of_many_passes_by_luck_alone() -> None:
    """Without the correction, 60 of 1,500 guessed columns would pass at 0.04; with it, of 50 groups of columns, two."""
    generator, passed = np.random.default_rng(2), 0
    for _ in range(50):
        labels, predicted = generator.integers(0, 2, (2, 40, 30))
        passed += any(found is not None and found.p <= 0.04 for found in against_chance(predicted, labels, 0, 199))
    assert passed <= 6


def test_a_learned_column_is_found_among_guessed_ones() -> None:
    generator = np.random.default_rng(3)
    labels, predicted = generator.integers(0, 2, (2, 100, 8))
    predicted[:, 5] = np.where(generator.random(100) < 0.9, labels[:, 5], 1 - labels[:, 5])
    assert [found is not None and found.p <= 0.01 for found in against_chance(predicted, labels, 0)] == [
        column == 5 for column in range(8)
    ]


def test_a_column_with_one_value_cannot_be_tested() -> None:
    labels = np.stack([np.arange(40) % 2, np.zeros(40, int)], 1)
    first, second = against_chance(labels, labels, 0)
    assert first is not None and first.p < 0.01 and second is None
    assert against_chance(labels[:, 1:], labels[:, 1:], 0) == [None]


def test_images_whose_value_does_not_count_decide_nothing() -> None:
    labels = np.repeat([0, 1, -1], [20, 20, 5])[:, None]
    [right] = against_chance(np.maximum(labels, 0), labels, 0)
    [wrong] = against_chance(np.repeat([0, 1, 2], [20, 20, 5])[:, None], labels, 0)
    assert right is not None and wrong is not None
    assert right.balanced_accuracy == wrong.balanced_accuracy == pytest.approx(1) and right.p == wrong.p == 1 / 2000
    assert wrong.chance == pytest.approx(20 / 45)
    assert against_chance(labels[20:], labels[20:], 0) == [None]
