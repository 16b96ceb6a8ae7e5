"""Shapes: 6,144 drawings of 32x32, one for each combination of shape, scale, rotation, column and row.

As in dSprites (Matthey et al., 2017), every factor of variation is known and independent of the others. Unlike there, no
shape looks the same under two rotations.
"""

import hashlib
from itertools import product
from math import cos, pi, sin
from pathlib import Path

import numpy as np

from vaeline.data.labels import Labels
from vaeline.data.raw_images import Loader, RawImages
from vaeline.study.schema import Dataset

SIDE = 32
FINE = 8  # points along a side of a pixel; their mean is its grey
SHAPES = ["arrow", "ell", "half_disc"]
SCALES = [4.0, 5.0, 6.0, 7.0]  # pixels from the middle of a shape to its furthest point, approximately
ROTATIONS = 8
PLACES = range(9, 24, 2)  # pixel of a shape's middle, along either axis


def read(dataset: Dataset, folder: Path) -> RawImages:
    """Draw the shapes, the same each time; there is no official split, and `folder` is not used."""
    angles = [2 * pi * turn / ROTATIONS for turn in range(ROTATIONS)]
    drawn = [_draw(*each) for each in product(SHAPES, SCALES, angles)]
    images = np.stack(
        [
            np.roll(each, (row - SIDE // 2, column - SIDE // 2), (0, 1))
            for each, column, row in product(drawn, PLACES, PLACES)
        ]
    )
    values = [
        SHAPES, [f"{scale:g}" for scale in SCALES], [f"{turn * 360 // ROTATIONS} degrees" for turn in range(ROTATIONS)],
        [str(place) for place in PLACES], [str(place) for place in PLACES],
    ]  # fmt: skip
    codes = np.array(list(product(*(range(len(each)) for each in values))), np.int64)
    return RawImages(
        images=images[:, None],
        labels=Labels(["shape", "scale", "rotation", "column", "row"], values, codes),
        ids=[str(index) for index in range(len(images))],
        files={"drawn": {"bytes": images.nbytes, "sha256": hashlib.sha256(images.tobytes()).hexdigest()}},
    )


def _draw(shape: str, scale: float, angle: float) -> np.ndarray:
    """One shape in the middle of an image: levels, uint8 (SIDE, SIDE)."""
    at = (np.arange(SIDE * FINE) + 0.5) / FINE - (SIDE // 2 + 0.5)
    y, x = np.meshgrid(at / scale, at / scale, indexing="ij")
    u, v = cos(angle) * x + sin(angle) * y, cos(angle) * y - sin(angle) * x
    inside = {
        "arrow": ((np.abs(v) < 0.25) & (u > -1) & (u <= 0.2)) | ((np.abs(v) < 0.9 * (1 - u)) & (u > 0.2) & (u < 1)),
        "ell": ((np.abs(v) < 0.85) & (u > -0.5) & (u < 0)) | ((v > 0.4) & (v < 0.85) & (u >= 0) & (u < 0.5)),
        "half_disc": (u**2 + v**2 < 1) & (u > 0),
    }[shape]  # fmt: skip
    greys = inside.reshape(SIDE, FINE, SIDE, FINE).mean((1, 3))
    return np.asarray(np.rint(255 * greys), np.uint8)


LOADER = Loader(read=read)
