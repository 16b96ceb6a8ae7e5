"""dSprites, drawn anew: 737,280 black and white images of 64x64, one for each combination of shape, scale, rotation, column and row.

The factors and their values are those of Matthey et al. (2017), https://github.com/deepmind/dsprites-dataset. The pixels are ours, so that
numbers of pixels, such as likelihoods, are not those of the published files. As there, the first and the last rotation are the same
(0 and 360 degrees), so that 18,432 images are there twice; both come into one split. All others differ.
"""

import hashlib
from collections.abc import Callable
from itertools import product
from math import cos, radians, sin
from pathlib import Path

import numpy as np

from vaeline.data.labels import Labels
from vaeline.data.raw_images import Loader, RawImages
from vaeline.data.sprites import PLACE, Sprites
from vaeline.study.schema import Dataset

SIDE = 64
PLACES = 32  # rows and columns of a shape's middle, one pixel apart
WINDOW = SIDE - PLACES + 1  # pixels along a side of a sprite, so that none is cut at any place
SHAPES = ["square", "ellipse", "heart"]
SCALES = np.linspace(0.5, 1, 6)
ROTATIONS = np.linspace(0, 360, 40)  # degrees
UNIT = 13.5  # pixels of a length of 1 at scale 1
# Pixels from a shape's middle, row and column, to the middle of a pixel; at 0, small squares would look alike at several rotations.
OFF = (0.2, 0.15)


def read(dataset: Dataset, folder: Path) -> RawImages:
    """Draw the sprites, the same each time; there is no official split, and `folder` is not used."""
    sprites = draw_sprites()
    places = [f"{place:.2f}" for place in np.linspace(0, 1, PLACES)]
    values = [
        SHAPES, [f"{scale:.1f}" for scale in SCALES], [f"{rotation:.1f} degrees" for rotation in ROTATIONS], places, places,
    ]  # fmt: skip
    codes = np.indices([len(each) for each in values]).reshape(len(values), -1).T  # (n, factors); rows vary fastest
    drawn = np.stack([np.arange(len(codes)) // PLACES**2, codes[:, 4], codes[:, 3]], 1).astype(PLACE)
    turns = codes[:, 2] % (len(ROTATIONS) - 1)  # the last rotation is the first one
    content = sprites.tobytes() + drawn.tobytes()
    return RawImages(
        images=Sprites(sprites, drawn, (SIDE, SIDE)),
        labels=Labels(["shape", "scale", "rotation", "column", "row"], values, np.ascontiguousarray(codes)),
        ids=list(map(str, range(len(codes)))),
        files={"drawn": {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}},
        levels=2,
        copies=np.ravel_multi_index((*codes[:, :2].T, turns, *codes[:, 3:].T), [len(each) for each in values]),
    )


def draw_sprites() -> np.ndarray:
    """Each shape in each scale and rotation, rotations varying fastest: uint8 (sprites, 1, WINDOW, WINDOW)."""
    return np.stack([_draw(*each) for each in product(SHAPES, SCALES, ROTATIONS)])[:, None]


def _draw(shape: str, scale: float, degrees: float) -> np.ndarray:
    """A shape in the middle of a window: levels 0 and 1, uint8 (WINDOW, WINDOW). A pixel is white if its middle is inside."""
    at, angle = np.arange(WINDOW) - WINDOW // 2, radians(degrees % 360)
    y, x = np.meshgrid(at - OFF[0], at - OFF[1], indexing="ij")  # y grows downwards
    u, v = cos(angle) * x + sin(angle) * y, cos(angle) * y - sin(angle) * x
    return INSIDE[shape](u / (scale * UNIT), v / (scale * UNIT)).astype(np.uint8)


def _in_heart(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Points of the curve (a^2 + b^2 - 1)^3 = a^2 b^3, with the tip downwards and the centre of its area at 0."""
    a, b = u / 0.66, 0.2935 - v / 0.66
    inside: np.ndarray = (a**2 + b**2 - 1) ** 3 < a**2 * b**3
    return inside


INSIDE: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "square": lambda u, v: np.maximum(abs(u), abs(v)) < 0.62,
    "ellipse": lambda u, v: (u / 0.97) ** 2 + (v / 0.49) ** 2 < 1,
    "heart": _in_heart,
}

LOADER = Loader(read=read)
