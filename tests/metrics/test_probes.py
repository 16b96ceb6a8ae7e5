"""Probes of latents that encode a label linearly, nonlinearly, or not at all."""

import numpy as np
import pytest

from vaeline.metrics.probes import probe


def score(kind: str, codes: np.ndarray, labels: np.ndarray) -> float:
    half = len(codes) // 2
    found = probe(kind, codes[:half], labels[:half, None], codes[half:], labels[half:, None], ["label"])
    return found["label"]


def cloud(seed: int = 0, count: int = 2000, dimensions: int = 2) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, dimensions))


@pytest.mark.parametrize("kind", ["linear", "neighbours"])
def test_a_linear_label_is_read(kind: str) -> None:
    codes = cloud()
    labels = (codes[:, 0] + codes[:, 1] > 0).astype(int)
    codes[:, 0] += np.where(labels == 1, 1.0, -1.0)
    assert score(kind, codes, labels) > 0.98


def test_a_nonlinear_label_is_read_by_neighbours_only() -> None:
    codes = cloud()
    labels = (codes[:, 0] * codes[:, 1] > 0).astype(int)
    assert score("linear", codes, labels) == pytest.approx(0.5, abs=0.06)
    assert score("neighbours", codes, labels) > 0.9


@pytest.mark.parametrize("kind", ["linear", "neighbours"])
def test_latents_without_the_label_score_at_chance(kind: str) -> None:
    labels = np.random.default_rng(1).integers(0, 4, 4000)
    assert score(kind, cloud(count=4000), labels) == pytest.approx(0.25, abs=0.04)


@pytest.mark.parametrize("kind", ["linear", "neighbours"])
def test_a_rare_label_counts_as_much_as_a_common_one(kind: str) -> None:
    labels = (np.arange(4000) % 20 == 0).astype(int)
    assert score(kind, cloud(count=4000), labels) == pytest.approx(0.5, abs=0.08)
    shifted = cloud(count=4000) + labels[:, None] * np.array([3.0, 0])
    assert score(kind, shifted, labels) > 0.9


def test_the_neighbour_probe_does_not_scale_dimensions() -> None:
    codes = np.concatenate([cloud(), 1e-3 * cloud(1, dimensions=30)], 1)
    labels = (codes[:, 0] > 0).astype(int)
    assert score("neighbours", codes, labels) == pytest.approx(score("neighbours", codes[:, :2], labels), abs=0.01)


def test_the_linear_probe_ignores_units() -> None:
    codes = cloud()
    labels = (codes[:, 0] > 0).astype(int)
    assert score("linear", codes * [1e-4, 1e4], labels) == pytest.approx(score("linear", codes, labels), abs=0.005)


def test_constant_columns_are_skipped_and_dead_dimensions_harmless() -> None:
    codes, labels = np.concatenate([cloud(), np.zeros((2000, 1))], 1), np.zeros((2000, 2), int)
    labels[:, 1] = codes[:, 0] > 0
    found = probe("linear", codes[:1000], labels[:1000], codes[1000:], labels[1000:], ["constant", "side"])
    assert set(found) == {"side"} and found["side"] > 0.98


@pytest.mark.parametrize("kind", ["linear", "neighbours"])
def test_a_value_that_does_not_count_is_neither_fitted_nor_asked_for(kind: str) -> None:
    codes = cloud()
    labels = (codes[:, 0] > 0).astype(int)
    marked = np.where(np.arange(len(labels)) % 3 == 0, -1, labels)
    assert score(kind, codes, marked) > 0.95
    marked[labels == 1] = -1
    with pytest.raises(KeyError):
        score(kind, codes, marked)
