"""Every metric of images, as found on disk, keeps its contract."""

from dataclasses import replace

import numpy as np
import pytest
from torch import Tensor

from tests.evaluation.test_image_features import images_of
from tests.evaluation.test_reference import Pixels, correlated
from vaeline.evaluation.catalogue import catalogue, load, names_for
from vaeline.evaluation.image_features import extract
from vaeline.metrics._images import ImageSet


def wide(count: int, seed: int) -> np.ndarray:
    """Images of 8x8, large enough for filters."""
    return np.kron(correlated(count, seed), np.ones((4, 4), np.uint8))


def with_training(real: ImageSet) -> ImageSet:
    """Test images that know the features of training images."""
    return replace(real, train=images_of(wide(90, 2)).features)


FILES = catalogue().of_images(by_label=True)


@pytest.mark.parametrize("file", FILES)
def test_a_metric_of_images_measures_all_that_its_entries_name(file: str) -> None:
    images = with_training(images_of(wide(100, 0), np.arange(100)[:, None] % 2))
    results = load(file).measure(images, images)
    for metric in FILES[file]:
        assert metric.subject is not None
        for subject in (metric.subject, *(each.subject for each in metric.references if each.subject)):
            assert names_for([metric], subject, "fd").keys() <= results.keys()


@pytest.mark.parametrize("file", FILES)
def test_a_metric_of_images_gives_the_same_results_twice(file: str) -> None:
    images, real = images_of(wide(80, 0)), with_training(images_of(wide(70, 1)))
    first, second = load(file).measure(images, real), load(file).measure(images, real)
    assert first == second


class Tenths(Pixels):
    """A space in which images of one colour have features that floating point cannot represent exactly."""

    def __call__(self, images: Tensor) -> Tensor:
        return super().__call__(images) / 10


@pytest.mark.parametrize("space", [Pixels(), Tenths()])
@pytest.mark.parametrize("file", ["frechet_distance", "kernel_distance", "precision_recall", "memorisation"])
def test_identical_features_give_no_metric(file: str, space: Pixels) -> None:
    same, unlabelled = np.full((500, 1, 2, 2), 3, np.uint8), np.zeros((500, 0), np.int64)
    real = extract(space, lambda: [same], unlabelled)
    images = extract(space, lambda: [correlated(500, 0)], unlabelled)
    with pytest.raises(ValueError, match="are the same"):
        load(file).measure(images, real)
