"""The calibration error of confidences with a known accuracy."""

import numpy as np
import pytest

from vaeline.metrics._calibration_error import calibration_error


def always(confidence: float, right: int, images: int = 100) -> tuple[np.ndarray, np.ndarray]:
    """Two values, the first of which gets `confidence` in every image, and is right in `right` of them."""
    probability = np.tile([confidence, 1 - confidence], (images, 1))
    return probability, (np.arange(images) >= right).astype(np.int64)


@pytest.mark.parametrize(
    ("confidence", "right", "error"), [(0.8, 80, 0.0), (1.0, 100, 0.0), (1.0, 0, 1.0), (0.9, 70, 0.2)]
)
def test_it_is_the_gap_between_confidence_and_accuracy(confidence: float, right: int, error: float) -> None:
    assert calibration_error(*always(confidence, right)) == pytest.approx(error)


def test_errors_of_different_bins_do_not_cancel() -> None:
    sure, timid = always(0.95, 85), always(0.65, 75)
    both = np.concatenate([sure[0], timid[0]]), np.concatenate([sure[1], timid[1]])
    assert calibration_error(*both) == pytest.approx(0.1)
    assert calibration_error(*both, bins=1) == pytest.approx(0.0)


def test_bins_are_weighted_by_their_images() -> None:
    sure, timid = always(0.95, 285, 300), always(0.65, 75, 100)
    both = np.concatenate([sure[0], timid[0]]), np.concatenate([sure[1], timid[1]])
    assert calibration_error(*both) == pytest.approx(0.025)
