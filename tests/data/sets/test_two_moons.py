"""The two moons have the right number of points, half circles and noise."""

from pathlib import Path

import numpy as np

from vaeline.data.raw_images import RawImages
from vaeline.data.sets import two_moons
from vaeline.study.schema import Dataset


def moons() -> RawImages:
    return two_moons.read(Dataset(id="moons", name="two_moons", size=None), Path("unused"))


def test_points_are_the_same_each_time() -> None:
    one, other = moons(), moons()
    assert isinstance(one.images, np.ndarray) and isinstance(other.images, np.ndarray)
    assert one.images.shape == (20_000, 2) and one.images.dtype == np.float32 and one.levels is None
    assert (one.images == other.images).all() and one.files == other.files
    assert len(np.unique(one.images, axis=0)) == 20_000  # no copies that a random split could part


def test_each_moon_is_a_noisy_half_circle() -> None:
    raw = moons()
    assert raw.labels.names == ["moon"] and raw.labels.values == [["upper", "lower"]]
    assert isinstance(raw.images, np.ndarray)
    for code, centre, side in ((0, (0.0, 0.0), 1), (1, (1.0, 0.5), -1)):
        points = raw.images[raw.labels.codes[:, 0] == code]
        assert len(points) == 10_000
        off = np.linalg.norm(points - centre, axis=1) - 1
        assert abs(off.mean()) < 0.003 and abs(off.std() - 0.05) < 0.002
        assert (side * (points[:, 1] - centre[1]) > -0.25).all()  # five deviations beyond the ends
