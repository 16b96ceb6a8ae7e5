"""The share of memorised images, of points on a line and of clouds that are known."""

from dataclasses import replace
from math import sqrt

import numpy as np
import pytest
import torch

from vaeline.evaluation.image_features import part
from vaeline.metrics import memorisation
from vaeline.metrics._images import Dash, ImageSet, Measured
from vaeline.metrics._moments import moments
from vaeline.metrics.memorisation import closeness, measure

DIMENSIONS = 8


def cloud(count: int, seed: int) -> np.ndarray:
    """Draws of one Gaussian."""
    return np.random.default_rng(seed).standard_normal((count, DIMENSIONS)).astype(np.float32)


def images_of(features: np.ndarray, train: np.ndarray | None = None) -> ImageSet:
    none = np.zeros((len(features), 0), np.int64)
    return ImageSet(lambda: [], moments([features]), features, none, np.full(len(features), -1), train=train)


TRAIN = cloud(2000, 0)
REAL = images_of(cloud(1000, 1), TRAIN)


def share(features: np.ndarray, real: ImageSet = REAL) -> Measured:
    found = measure(images_of(features), real)["memorised_share"]
    assert isinstance(found, Measured)
    return found


def test_closeness_on_a_line_is_that_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memorisation, "BLOCK_PAIRS", 12)  # rows come in several blocks
    train = torch.tensor([[0.0], [1.0], [2.0], [3.0], [4.0], [100.0]])
    images = torch.tensor([[2.0], [2.5], [-1.0], [10.0], [99.0]])
    # The nearest and the 5th nearest: 0 and 2, 0.5 and 2.5, 1 and 5, 6 and 10, 1 and 98.
    assert closeness(images, train).tolist() == pytest.approx([0, 1 / 5, 1 / 5, 6 / 10, 1 / 98])


def test_a_copy_of_an_image_that_is_there_five_times_is_a_copy() -> None:
    assert closeness(torch.tensor([[1.0]]), torch.tensor([[1.0]] * 5 + [[2.0]])).tolist() == [0]


def test_a_copy_among_many_images_is_a_copy_too() -> None:
    """With more rows, `cdist` multiplies matrices, and rounding makes six equal images equally far, not at 0."""
    train = torch.randn(1000, 64, generator=torch.Generator().manual_seed(0))
    train[:6] = train[0]
    assert closeness(train[[0, 5, 7]], train).tolist() == [0, 0, 0]


def test_new_images_are_as_close_as_the_level_says() -> None:
    values = [share(cloud(1000, seed)) for seed in range(2, 42)]
    errors = [each.standard_error for each in values]
    assert np.mean([each.value for each in values]) == pytest.approx(0.05, abs=0.015)  # all with one limit
    everything_new = [
        share(cloud(1000, 3 * seed), images_of(cloud(1000, 3 * seed + 1), TRAIN)) for seed in range(9, 49)
    ]
    assert np.std([each.value for each in everything_new]) == pytest.approx(np.mean(errors), rel=0.25)


@pytest.mark.parametrize("copied", [0.1, 0.5, 1.0])
def test_copies_of_training_images_count(copied: float) -> None:
    drawn = cloud(1000, 2)
    alone = share(drawn[round(1000 * copied) :]).value if copied < 1 else 0
    drawn[: round(1000 * copied)] = TRAIN[: round(1000 * copied)]
    assert share(drawn).value == pytest.approx(copied + (1 - copied) * alone)


def test_images_that_are_close_to_many_training_images_are_no_copies() -> None:
    """Averages and typical images are closer to training images than test images are."""
    for drawn in ((TRAIN[:1000] + TRAIN[1000:]) / 2, cloud(1000, 2) / 4):
        nearest, of_test = (
            torch.cdist(torch.tensor(each), torch.tensor(TRAIN)).amin(1) for each in (drawn, REAL.features)
        )
        assert (nearest < of_test.quantile(0.05)).float().mean() > 0.1
        assert share(drawn).value < 0.05 + 2 * share(drawn).standard_error


def test_many_images_are_measured_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memorisation, "MOST_PAIRS", 100 * len(TRAIN))
    found = share(np.concatenate([TRAIN[:500], cloud(500, 2)]))
    assert found.how == {"images": 100, "of": 100, "training_images": 2000}
    assert found.value == pytest.approx(0.525, abs=0.06)
    of_share, of_limit = found.value * (1 - found.value) / 100, 0.05 * 0.95 / 100
    assert found.standard_error == pytest.approx(sqrt(of_share + of_limit))


def test_halves_share_the_distances_of_their_images(monkeypatch: pytest.MonkeyPatch) -> None:
    images, real, counted = images_of(cloud(300, 2)), images_of(cloud(200, 1), TRAIN), list[int]()
    halves = [(part(images, half), part(real, other)) for half, other in random_halves(300, 200)]
    alone = [measure(*(replace(each, whole=None) for each in half)) for half in halves]

    def counting(features: torch.Tensor, train: torch.Tensor) -> torch.Tensor:
        counted.append(len(features))
        return closeness(features, train)

    monkeypatch.setattr(memorisation, "closeness", counting)
    measure(images, real)
    assert [measure(*half) for half in halves] == alone
    assert sum(counted) == 500
    measure(images, replace(real, train=TRAIN[:500]))  # other training images have other distances
    assert sum(counted) == 1000


def random_halves(*counts: int) -> list[tuple[np.ndarray, ...]]:
    generator = np.random.default_rng(0)
    return [tuple(generator.permutation(np.arange(count) < count // 2) for count in counts) for _ in range(5)]


@pytest.mark.parametrize(
    ("real", "reason"),
    [
        (replace(REAL, train=None), "it needs the features of at least 5 training images"),
        (replace(REAL, train=TRAIN[:4]), "it needs the features of at least 5 training images"),
        (images_of(cloud(19, 1), TRAIN), "it needs at least 20 test images"),
        (images_of(TRAIN[:60], TRAIN), "5% of the test images have the features of training images"),
    ],
)
def test_a_share_without_meaning_is_a_dash(real: ImageSet, reason: str) -> None:
    assert measure(images_of(cloud(100, 2)), real) == {"memorised_share": Dash(reason)}
