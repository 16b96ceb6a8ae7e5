"""A linear Gaussian model's draws: 600 points of 16 dimensions, of which 4 directions hold most of the variance.

The maximum likelihood of a linear VAE on them is known in closed form (Tipping and Bishop, 1999; Lucas et al., 2019).
"""

import hashlib
from pathlib import Path

import numpy as np

from vaeline.data.labels import of_classes
from vaeline.data.raw_images import Loader, RawImages
from vaeline.study.schema import Dataset

POINTS, DIMENSIONS = 600, 16  # so few that a model fits its training points 0.4 nats better than others
# Along orthogonal directions; unlike each other, so that a training soon tells them apart.
DEVIATIONS = [3.0, 2.2, 1.6, 1.1]
NOISE = 0.5  # standard deviation in every direction
SEED = 0


def read(dataset: Dataset, folder: Path) -> RawImages:
    """Draw the points, the same each time; there is no official split, and `folder` is not used."""
    generator = np.random.default_rng(SEED)
    directions = np.linalg.qr(generator.standard_normal((DIMENSIONS, len(DEVIATIONS))))[0]
    z = generator.standard_normal((POINTS, len(DEVIATIONS)))
    noise = NOISE * generator.standard_normal((POINTS, DIMENSIONS))
    points = (z * DEVIATIONS @ directions.T + noise + 1).astype(np.float32)  # (600, 16)
    return RawImages(
        images=points,
        labels=of_classes("half", ["lower", "upper"], (z[:, 0] > 0).astype(np.int64)),
        ids=[str(index) for index in range(POINTS)],
        files={"drawn": {"bytes": points.nbytes, "sha256": hashlib.sha256(points.tobytes()).hexdigest()}},
        levels=None,
    )


LOADER = Loader(read=read)
