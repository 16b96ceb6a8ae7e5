"""The points of a linear Gaussian model vary as they should."""

from pathlib import Path

import numpy as np

from vaeline.data.sets import linear_gaussian
from vaeline.study.schema import Dataset


def test_the_points_have_four_wide_directions_and_noise_in_all() -> None:
    one, other = (
        linear_gaussian.read(Dataset(id="x", name="linear_gaussian", size=None), Path("unused")) for _ in "ab"
    )
    assert isinstance(one.images, np.ndarray) and isinstance(other.images, np.ndarray)
    assert one.images.shape == (600, 16) and one.levels is None and one.files == other.files
    assert len(np.unique(one.images, axis=0)) == 600  # no copies that a random split could part
    variances = np.linalg.eigvalsh(np.cov(one.images.T))[::-1]
    wanted = np.square(linear_gaussian.DEVIATIONS) + linear_gaussian.NOISE**2
    assert np.allclose(variances[:4], wanted, rtol=0.15) and np.allclose(variances[4:].mean(), 0.25, rtol=0.1)
