"""Subsets of training images bear the labels that samples are asked to show, and their spread is that of fresh images."""

import numpy as np
import pytest

from vaeline.evaluation.matched import CANDIDATES, SUBSETS, Matched, averaged, match
from vaeline.metrics._images import Dash, Measured


def column(*counts: int) -> np.ndarray:
    """Labels of one column: so many images with the first value, the second, ..."""
    return np.repeat(np.arange(len(counts)), counts)[:, None]


def subsets(matched: Matched) -> np.ndarray:
    return np.stack(list(matched.subsets(0)))


def test_subsets_have_exactly_the_labels_that_are_asked_for() -> None:
    asked, train = np.random.default_rng(0).permutation(column(30, 50, 20)), column(200, 100, 61)
    found = subsets(match(asked, train, 0))
    assert found.shape == (SUBSETS, 100)
    assert (train[found][..., 0] == asked[:, 0]).all()
    assert all(len(set(rows.tolist())) == 100 for rows in found)
    assert (
        len(set(found.ravel().tolist())) == 90 + 100 + 60
    )  # at most three candidates of each, and not all of the first


def test_an_image_stands_in_where_a_label_has_too_few_training_images() -> None:
    asked, train = column(10, 10), column(100, 4)
    found = subsets(match(asked, train, 0))
    assert (np.sort(train[found][..., 0]).sum(1) == 4).all()
    assert all(len(set(rows.tolist())) == 20 for rows in found)


def test_the_nearest_labels_are_taken_among_many() -> None:
    asked = np.array([[0, 0, 0, 0, 0], [1, 1, 1, 1, 1], [1, 1, 1, 1, 0]])
    train = np.array(
        [[0, 0, 0, 1, 1], [1, 1, 1, 1, 1], [0, 0, 0, 0, 1], [1, 0, 0, 0, 0], [0, 1, 1, 1, 0], [1, 1, 0, 0, 0]]
    )
    found = match(asked, train, 0)
    assert {*found.candidates[0].tolist()} == {2, 3, -1}  # one label away; the others are farther
    assert [found.candidates[row, 0] for row in (1, 2)] == [1, 4]


def test_every_image_has_a_candidate_before_any_has_two() -> None:
    generator = np.random.default_rng(1)
    asked, train = generator.integers(0, 2, (60, 8)), generator.integers(0, 2, (70, 8))
    found = match(asked, train, 0)
    assert (found.candidates[:, 0] >= 0).all()
    taken = found.candidates[found.candidates >= 0]
    assert len(set(taken.tolist())) == len(taken)


def test_images_without_labels_are_drawn_at_random() -> None:
    found = match(np.zeros((20, 0), np.int64), np.zeros((100, 0), np.int64), 0)
    assert len(found.pool) == 20 * CANDIDATES and found.pool.tolist() != list(range(60))
    assert found.shared == pytest.approx(1 / CANDIDATES)


def test_fewer_training_images_than_asked_are_all_taken_once() -> None:
    found = match(column(30, 30), column(10, 10), 0)
    assert subsets(found).shape == (1, 20) and len(found.asked) == 20
    assert sorted(found.pool.tolist()) == list(range(20))


def test_the_same_seed_gives_the_same_subsets() -> None:
    asked, train = column(5, 5), column(40, 40)
    first, second, other = (match(asked, train, seed) for seed in (0, 0, 1))
    assert (subsets(first) == subsets(second)).all() and (first.candidates != other.candidates).any()


@pytest.mark.parametrize("available", [30, 45, 200])
def test_the_spread_is_that_of_images_that_are_not_shared(available: int) -> None:
    generator, spreads = np.random.default_rng(available), []
    for seed in range(60):
        values = generator.standard_normal(available)
        found = match(column(20), column(available), seed)
        results = [{"mean": values[rows].mean()} for rows in found.subsets(seed)]
        result = averaged(results, found.shared)["mean"]
        assert isinstance(result, Measured)
        spreads.append(float(result.how["spread"]) ** 2)  # type: ignore[arg-type]
    assert np.mean(spreads) == pytest.approx(1 / 20, rel=0.2)


def test_results_of_subsets_are_averaged() -> None:
    found = averaged(
        [
            {"a": 1.0, "b": Measured(1.0, {"images": 9, "by_label": {"x": 1.0, "y": 3.0}}, 0.2), "c": Dash("too few")},
            {"a": 4.0, "b": Measured(2.0, {"images": 9, "by_label": {"x": 2.0}}, 0.4), "c": Measured(1.0)},
        ],
        shared=0.5,
    )
    assert found["c"] == Dash("too few")
    assert found["a"] == Measured(2.5, {"subsets": 2, "spread": pytest.approx(3.0)})
    by_label = {"x": 1.5, "y": 3.0}
    assert found["b"] == Measured(
        1.5, {"images": 9, "subsets": 2, "spread": pytest.approx(1.0), "by_label": by_label}, pytest.approx(0.3)
    )
