"""Two moons: 20,000 points along two interleaved half circles, computed by scikit-learn.

The noise is as in the code of dpVAEs (Bhalodia et al., 2020).
"""

import hashlib
from pathlib import Path

import numpy as np

from vaeline.data.labels import of_classes
from vaeline.data.raw_images import Loader, RawImages
from vaeline.study.schema import Dataset

POINTS = 20_000
NOISE = 0.05  # standard deviation; the half circles have radius 1
SEED = 0


def read(dataset: Dataset, folder: Path) -> RawImages:
    """Compute the points, the same each time; there is no official split, and `folder` is not used."""
    from sklearn.datasets import make_moons

    points, moons = make_moons(POINTS, noise=NOISE, random_state=SEED)
    points = points.astype(np.float32)  # (20000, 2)
    content = points.tobytes() + moons.astype(np.uint8).tobytes()
    return RawImages(
        images=points,
        labels=of_classes("moon", ["upper", "lower"], moons),
        ids=[str(index) for index in range(POINTS)],
        files={"sklearn.datasets.make_moons": {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}},
        levels=None,
    )


LOADER = Loader(read=read)
