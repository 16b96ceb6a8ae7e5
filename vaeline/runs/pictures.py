"""Pictures of what was drawn: images side by side, or points over real points."""

from io import BytesIO
from math import ceil, sqrt

import numpy as np
from PIL import Image

from vaeline.data.facts import Facts
from vaeline.data.on_demand import Images

VISIBLE = 48  # pixels; smaller images are enlarged to at least this height
MOST_POINTS = 20_000  # real points in a picture
GAP = 128  # a grey that shows between black and between white images, on a light and on a dark page


def picture(drawn: np.ndarray, facts: Facts, real: Images) -> bytes:
    """A PNG of images side by side, or of points over the real points."""
    return points_png(drawn, real) if facts.points else grid(drawn, facts.levels)


def grid(images: np.ndarray, levels: int = 256, columns: int | None = None) -> bytes:
    """A PNG file of `tiled` images, the same bytes for the same images."""
    return _png(tiled(images, levels, columns))


def tiled(images: np.ndarray, levels: int = 256, columns: int | None = None) -> np.ndarray:
    """Arrange images row by row, with a narrow gap between them. Small images are enlarged without smoothing.

    Args:
        images: uint8, (n, channel, height, width), one channel or three.
        levels: the number of values of a pixel; the highest, levels - 1, is shown as white.
        columns: images in a row; None makes the picture as square as possible.

    Returns:
        uint8, (height, width, channel).

    Raises:
        ValueError: the array has another shape or type, or has no image.
    """
    if images.ndim != 4 or images.shape[1] not in (1, 3) or images.dtype != np.uint8 or len(images) == 0:
        raise ValueError(
            f"images are {images.dtype} {images.shape}; must be uint8 (n, 1 or 3, height, width) with n > 0"
        )
    scale = -(-VISIBLE // images.shape[2]) if images.shape[2] < VISIBLE else 1
    shown = np.rint(images * (255 / (levels - 1))).astype(np.uint8)
    tiles = shown.transpose(0, 2, 3, 1).repeat(scale, axis=1).repeat(scale, axis=2)  # (n, height, width, channel)
    gap = max(1, scale // 2)
    height, width = tiles.shape[1] + gap, tiles.shape[2] + gap
    columns = columns or ceil(sqrt(len(tiles)))
    rows = -(-len(tiles) // columns)
    canvas = np.full((rows * height - gap, columns * width - gap, tiles.shape[3]), GAP, np.uint8)
    for index, tile in enumerate(tiles):
        top, left = index // columns * height, index % columns * width
        canvas[top : top + tile.shape[0], left : left + tile.shape[1]] = tile
    return canvas


def points_png(points: np.ndarray, real: Images) -> bytes:
    """A PNG of drawn points over the first MOST_POINTS real points in grey. Only the first two dimensions are shown."""
    # These take longer to import than pictures of images take to be made.
    from matplotlib.figure import Figure

    from vaeline.system.plot_style import COLOURS, style

    with style():
        figure = Figure(figsize=(3.2, 3.2), layout="constrained")
        axes = figure.subplots()
        for each, colour in ((real[:MOST_POINTS], "#c9ced4"), (points, COLOURS[0])):
            axes.plot(each[:, 0], each[:, 1], ".", color=colour, markersize=3, markeredgewidth=0)
        axes.set_aspect("equal", "datalim")
        file = BytesIO()
        figure.savefig(file, format="png", dpi=120, metadata={"Software": None})
    return file.getvalue()


def _png(canvas: np.ndarray) -> bytes:
    file = BytesIO()
    Image.fromarray(canvas[..., 0] if canvas.shape[2] == 1 else canvas).save(file, "PNG", optimize=True)
    return file.getvalue()
