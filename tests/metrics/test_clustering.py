"""Clusters that are the labels, that have nothing to do with them, and that are known by hand."""

import numpy as np
import pytest

from vaeline.metrics.clustering import clustering

RANDOM = np.random.default_rng(0)


def score(codes: np.ndarray, labels: np.ndarray) -> float:
    return clustering(codes, labels[:, None], ["label"], 0)["label"]


def blobs(labels: np.ndarray, apart: float) -> np.ndarray:
    """Clouds of deviation 1 on a line, one for each label."""
    return np.stack([labels * apart, 0 * labels], 1) + RANDOM.standard_normal((len(labels), 2))


def test_separate_labels_are_found_whatever_their_numbers() -> None:
    labels = RANDOM.integers(0, 4, 1000)
    codes = blobs(labels, 20)
    assert score(codes, labels) == score(codes, np.array([5, 2, 9, 0])[labels]) == pytest.approx(1)


@pytest.mark.parametrize("values", [2, 50])
def test_unrelated_clusters_score_zero(values: int) -> None:
    """Without the adjustment, 50 clusters of 500 images would score 0.3."""
    assert score(RANDOM.standard_normal((500, 3)), RANDOM.integers(0, values, 500)) == pytest.approx(0, abs=0.05)


def test_overlapping_labels_lie_between() -> None:
    labels = RANDOM.integers(0, 3, 2000)
    assert 0.2 < score(blobs(labels, 2.5), labels) < 0.8


def test_a_wide_dimension_without_the_label_hides_it() -> None:
    labels = RANDOM.integers(0, 2, 1000)
    codes = np.concatenate([blobs(labels, 10), 100 * RANDOM.standard_normal((1000, 1))], 1)
    assert score(codes, labels) < 0.05


def test_values_that_do_not_count_are_left_out() -> None:
    labels = RANDOM.integers(0, 3, 900)
    codes = blobs(labels, 20)
    found = clustering(codes, np.stack([np.where(labels == 2, -1, labels), 0 * labels], 1), ["two", "one"], 0)
    assert found.keys() == {"two"}  # a column of one value has no clusters
    assert found["two"] > 0.5


@pytest.mark.filterwarnings("error")
def test_codes_that_are_all_alike_say_nothing() -> None:
    assert score(np.zeros((20, 2)), np.arange(20) % 2) == 0


def test_the_same_seed_makes_the_same_clusters() -> None:
    codes, labels = RANDOM.standard_normal((300, 2)), RANDOM.integers(0, 5, 300)
    assert score(codes, labels) == score(codes, labels)
