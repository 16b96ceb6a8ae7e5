"""The embedded digits have known counts, levels and a known image."""

from pathlib import Path

import numpy as np

from vaeline.data.sets import digits
from vaeline.study.schema import Dataset


def test_digits_equal_those_of_scikit_learn() -> None:
    raw = digits.read(Dataset(id="digits", name="digits", size=8), Path("unused"))
    assert isinstance(raw.images, np.ndarray)
    assert raw.images.shape == (1797, 1, 8, 8) and raw.levels == 17
    assert (raw.images.min(), raw.images.max()) == (0, 16)
    assert len(np.unique(raw.images, axis=0)) == 1797  # no copies that a random split could part
    assert raw.images[0, 0, 1].tolist() == [0, 0, 13, 15, 10, 15, 5, 0]  # the second row of the first zero
    assert np.bincount(raw.labels.codes[:, 0]).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
