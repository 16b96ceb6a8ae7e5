"""Panels of images, pixel by pixel: a grid of images, heads above its columns, panels side by side under their titles."""

from collections.abc import Mapping, Sequence
from io import BytesIO

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from vaeline.runs.pictures import tiled

WIDEST = 1060  # pixels; the width of the report's page
PANELS_IN_A_ROW = 4
GAP, TITLE = 24, 32  # pixels between panels and above each
LETTER = 8  # pixels that a letter of a head takes, approximately
DOTS = 100  # per inch


def rows(images: np.ndarray, levels: int) -> np.ndarray:
    """A panel of images.

    Args:
        images: uint8, (rows, columns, channel, height, width).
        levels: values that a pixel can take.

    Returns:
        uint8, (height, width, 3).
    """
    return _rgb(tiled(images.reshape(-1, *images.shape[2:]), levels, columns=images.shape[1]))


def decoded(png: bytes) -> np.ndarray:
    """A panel from a PNG file, uint8 (height, width, 3)."""
    return np.asarray(Image.open(BytesIO(png)).convert("RGB"))


def headed(panel: np.ndarray, heads: Sequence[str]) -> np.ndarray:
    """A panel with a head above each of its columns; heads are slanted if one is wider than its column.

    Args:
        panel: uint8, (height, width, 3).
        heads: one per column.

    Returns:
        uint8, (height, width, 3), higher than the panel and, with slanted heads, wider.
    """
    pitch, longest = panel.shape[1] / len(heads), max(map(len, heads))
    slanted = longest * LETTER > pitch
    above = round(0.7 * longest * LETTER) + TITLE if slanted else TITLE
    beyond = above if slanted else 0  # a slanted head goes beyond the last column
    height, width = panel.shape[0] + above, panel.shape[1] + beyond
    figure = _canvas(width, height)
    for column, head in enumerate(heads):
        text = figure.text((column + 0.5) * pitch / width, 1 - (above - 8) / height, head, fontsize=TITLE / 2.6)
        text.set(va="bottom", ha="left" if slanted else "center", rotation=45 if slanted else 0)
        text.set(rotation_mode="anchor", parse_math=False)
    figure.figimage(panel, 0, 0, origin="upper")
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3]


def side_by_side(panels: Mapping[str, np.ndarray], widest: int | None = None) -> Figure:
    """Panels under their titles; a pixel of the figure is a pixel of a panel.

    Args:
        panels: title -> uint8, (height, width, 3).
        widest: pixels of a row, unless one panel takes more; None puts four panels in a row.
    """
    height, width = (max(panel.shape[side] for panel in panels.values()) + GAP for side in (0, 1))
    columns = min(len(panels), PANELS_IN_A_ROW if widest is None else max(1, widest // width))
    total = columns * width, -(-len(panels) // columns) * (height + TITLE)
    figure = _canvas(*total)
    for index, (title, panel) in enumerate(panels.items()):
        left, top = index % columns * width, index // columns * (height + TITLE)
        figure.text((left + GAP / 2) / total[0], 1 - (top + TITLE - 10) / total[1], title, fontsize=TITLE / 2.2)
        origin = total[1] - top - TITLE - panel.shape[0]
        figure.figimage(panel, left + GAP // 2, origin, origin="upper")
    return figure


def _canvas(width: int, height: int) -> Figure:
    return Figure(figsize=(width / DOTS, height / DOTS), dpi=DOTS, facecolor="white")


def _rgb(canvas: np.ndarray) -> np.ndarray:
    return canvas.repeat(3, axis=2) if canvas.shape[2] == 1 else canvas
