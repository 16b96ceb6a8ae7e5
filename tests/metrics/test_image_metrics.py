"""Every metric of images, as found on disk, keeps its contract."""

from dataclasses import replace

import numpy as np
import pytest
from torch import Tensor

from tests.evaluation.correlated_pixels import Pixels, correlated
from tests.evaluation.test_image_features import images_of
from vaeline.evaluation.catalogue import catalogue, load, names_for
from vaeline.evaluation.image_features import extract, part
from vaeline.metrics._images import ImageSet, Measured


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


@pytest.mark.parametrize("file", FILES)
def test_parts_that_are_measured_at_once_have_the_values_of_each(file: str) -> None:
    generator, metric = np.random.default_rng(0), load(file)
    images, real = images_of(wide(80, 0)), with_training(images_of(wide(70, 1)))
    images = replace(images, features=images.features / 100, test_index=generator.permutation(80) - 10)
    real = replace(real, features=real.features / 100, test_index=np.arange(70))
    chosen = [(generator.random(80) < share, generator.random(70) < share) for share in (0.5, 0.5, 0.9, 0.2)]
    if metric.measure_parts is None:
        pytest.skip("its parts are measured one by one")
    found = metric.measure_parts(images, real, chosen)
    for (of_images, of_real), results in zip(chosen, found, strict=True):
        expected = metric.measure(part(images, of_images), part(real, of_real))
        assert results.keys() == expected.keys()
        for key, value in expected.items():
            one, other = results[key], value
            assert isinstance(one, Measured) and isinstance(other, Measured) and one.how == other.how
            assert one.value == pytest.approx(other.value, rel=1e-12, abs=1e-12)


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
