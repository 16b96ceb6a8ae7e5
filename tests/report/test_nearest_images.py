"""The training image nearest to a sample."""

import numpy as np
import pytest

from vaeline.data import on_demand
from vaeline.report import nearest_images
from vaeline.report.nearest_images import nearest

TRAIN = np.random.default_rng(0).integers(0, 256, (50, 3, 4, 4)).astype(np.uint8)


@pytest.mark.parametrize("block", [500, 7])
def test_a_copy_is_nearest_to_its_original(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_demand, "BATCH", block)
    rows = [49, 0, 23]
    noise = np.random.default_rng(1).integers(-3, 4, (3, 3, 4, 4))
    copies = np.clip(TRAIN[rows] + noise, 0, 255).astype(np.uint8)
    assert np.array_equal(nearest(copies, TRAIN), TRAIN[rows])


def test_very_many_training_images_are_thinned_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearest_images, "MOST_BYTES", 48 * 8)
    rows = nearest_images.compared(TRAIN)
    assert rows.tolist() == [0, 7, 14, 21, 28, 35, 42, 49]
    assert np.array_equal(nearest(TRAIN[[7]], TRAIN), TRAIN[[7]])
