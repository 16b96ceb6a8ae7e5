"""The Fréchet distance label by label, on images of which the labels shift the pixels."""

from dataclasses import replace

import numpy as np
import pytest

from tests.evaluation.correlated_pixels import correlated
from tests.evaluation.test_image_features import images_of
from vaeline.metrics._images import Dash, Measured
from vaeline.metrics.frechet_distance_by_label import measure

KEY = "frechet_distance_by_label"


def test_samples_are_compared_with_test_images_of_their_label() -> None:
    labels = np.stack([np.arange(300) % 2, np.arange(300) % 300 // 298], 1)  # nobody is c, two are right
    shifted = correlated(300, 1) + (20 * labels[:, :1, None, None]).astype(np.uint8)
    values = {"kind": ["a", "b", "c"], "side": ["left", "right"]}
    real = replace(images_of(shifted, labels), label_values=values)
    for asked, near in ((labels, True), (1 - labels, False)):
        found = measure(images_of(shifted, asked), real)[KEY]
        assert isinstance(found, Measured)
        assert set(found.how["left_out"]) == {"kind=c", "side=right"} | (set() if near else {"side=left"})
        by_label = found.how["by_label"]
        assert by_label["kind=a"] == pytest.approx(0 if near else 4 * 20**2, abs=40)
        assert found.value == pytest.approx(np.mean(list(by_label.values())))


def test_labels_of_too_few_images_have_no_distance() -> None:
    images = replace(images_of(correlated(8, 1), np.arange(8)[:, None] % 2), label_values={"kind": ["a", "b"]})
    assert measure(images, images)[KEY] == Dash("no label has 20 images of both kinds")


@pytest.mark.filterwarnings("ignore::vaeline.metrics.frechet_distance.FewImages")
def test_a_label_with_fewer_images_than_dimensions_is_called_biased() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (120, 1, 8, 8), dtype=np.uint8)
    images = replace(images_of(pixels, np.arange(120)[:, None] % 2), label_values={"kind": ["a", "b"]})
    found = measure(images, images)[KEY]
    assert isinstance(found, Measured) and found.value == pytest.approx(0, abs=1e-6)
    assert found.how["warning"] == "biased upwards: from 60 images in 64 dimensions"
