"""Condition accuracy at extremes with known values."""

import numpy as np
import pytest

from vaeline.metrics.condition_accuracy import AbsentLabel, balanced_accuracy, chance, condition_accuracy

RARE = np.array([[1]] * 5 + [[0]] * 95)


def test_an_obeyed_request_scores_one() -> None:
    assert condition_accuracy(RARE, RARE, ["bald"]) == {"bald": 1.0}


def test_an_inverted_request_scores_zero() -> None:
    assert condition_accuracy(1 - RARE, RARE, ["bald"]) == {"bald": 0.0}


def test_always_answering_the_frequent_value_scores_a_half() -> None:
    assert condition_accuracy(np.zeros_like(RARE), RARE, ["bald"]) == {"bald": 0.5}


def test_always_answering_one_of_ten_classes_scores_a_tenth() -> None:
    requested = np.repeat(np.arange(10), [1, 2, 3, 4, 5, 6, 7, 8, 9, 55])
    assert balanced_accuracy(np.full(100, 9), requested) == pytest.approx(0.1)


def test_a_class_that_nobody_requested_does_not_count() -> None:
    assert balanced_accuracy(np.array([0, 1, 7]), np.array([0, 1, 1])) == pytest.approx((1 + 0.5) / 2)


def test_a_label_of_one_value_is_left_out_by_name() -> None:
    requested = np.array([[0, 1], [1, 1], [1, 1]])
    with pytest.warns(AbsentLabel, match="mustache"):
        assert condition_accuracy(requested, requested, ["smiling", "mustache"]) == {"smiling": 1.0}


def test_shuffled_requests_score_at_chance() -> None:
    requested = np.stack([np.arange(1_000) % 10, np.arange(1_000) < 30], 1).astype(int)
    floor = chance(requested, requested, ["digit", "bald"])
    assert floor == pytest.approx({"digit": 0.1, "bald": 0.5})


def test_the_floor_is_the_mean_over_shuffled_requests() -> None:
    generator = np.random.default_rng(0)
    requested = np.repeat([0, 1, 2], [50, 30, 20])[:, None]
    predicted = generator.integers(0, 4, (100, 1))  # sees a value that nobody asked for
    deals = [balanced_accuracy(predicted[:, 0], generator.permutation(requested[:, 0])) for _ in range(2_000)]
    error = np.std(deals) / 2_000**0.5
    assert chance(predicted, requested, ["digit"])["digit"] == pytest.approx(np.mean(deals), abs=4 * error)


def test_a_request_that_does_not_count_is_left_out() -> None:
    requested, predicted = np.array([[0], [0], [1], [1], [-1], [-1]]), np.array([[0], [1], [1], [1], [0], [0]])
    assert condition_accuracy(predicted, requested, ["a"]) == {"a": 0.75}
    assert chance(predicted, requested, ["a"]) == {"a": 0.5}
    with pytest.warns(AbsentLabel):
        assert condition_accuracy(predicted[2:], requested[2:], ["a"]) == {}
