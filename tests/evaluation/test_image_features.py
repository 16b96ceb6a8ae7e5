"""Features of images in a space that is the pixels themselves."""

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.evaluation.correlated_pixels import Pixels, correlated
from vaeline.evaluation import image_features
from vaeline.evaluation.image_features import extract, from_state, to_state
from vaeline.metrics._images import ImageSet
from vaeline.system.errors import UserError
from vaeline.system.evenly_spaced import evenly_spaced


def images_of(pixels: np.ndarray, labels: np.ndarray | None = None) -> ImageSet:
    """The features of images without labels."""
    return extract(Pixels(), lambda: [pixels], np.zeros((len(pixels), 0), np.int64) if labels is None else labels)


def test_of_many_images_some_are_compared_pair_by_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_features, "MOST_ROWS", 50)
    monkeypatch.setattr(image_features, "BATCH", 70)
    images, labels = correlated(600, 600), np.arange(600)[:, None]
    found = extract(Pixels(), lambda: [images[:90], images[90:]], labels)
    chosen = evenly_spaced(600, 50)
    assert found.moments.count == 600 and found.labels[:, 0].tolist() == chosen.tolist()
    assert np.array_equal(found.features, images[chosen].reshape(50, 4))


def test_one_image_has_no_distance() -> None:
    with pytest.raises(UserError, match="at least 2 rows of features, not 1.*take more images"):
        images_of(correlated(1, 0))


def test_features_survive_being_kept() -> None:
    images = correlated(3, 1)  # fewer than dimensions: the factor of the covariance is kept too
    found = extract(Pixels(), lambda: [images], np.arange(3)[:, None], np.array([2, 0, 1]))
    state = to_state(found)
    assert all(isinstance(each, Tensor) for each in state.values())
    again = from_state({name: torch.clone(each) for name, each in state.items()}, lambda: [images], "fd")
    assert (
        again.train is None and again.moments.count == 3 and np.array_equal(again.moments.factor, found.moments.factor)
    )
    for name in ("features", "labels", "test_index"):
        assert np.array_equal(getattr(again, name), getattr(found, name))
