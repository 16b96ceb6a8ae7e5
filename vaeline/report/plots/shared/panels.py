"""Panels of images, pixel by pixel: a grid of images, heads above its columns, panels side by side under their titles."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from vaeline.runs.pictures import tiled

WIDEST = 1060  # pixels; the width of the report's page
SMALLEST = 0.5  # pixels of the page that a pixel of a panel takes there at least, unless one panel alone is wider
PANELS_IN_A_ROW = 4
GAP, TITLE = 24, 32  # pixels between panels and above each
LETTER = 8  # pixels that a letter of a head or title takes, approximately
TITLE_POINTS, HEAD_POINTS = 11, 10  # on the page
MOST_LARGER = 1.5  # times these, in a figure that is shown smaller: more has no room
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


class Headed(NamedTuple):
    """A panel with a head above each of its columns; heads are slanted if one is wider than its column."""

    pixels: np.ndarray  # uint8, (height, width, 3)
    heads: Sequence[str] = ()  # one for each column; none for a panel without heads

    @property
    def pitch(self) -> float:
        """Pixels of a column."""
        return self.pixels.shape[1] / max(1, len(self.heads))

    @property
    def slanted(self) -> bool:
        """Whether heads are slanted."""
        return max(map(len, self.heads), default=0) * LETTER > self.pitch

    @property
    def above(self) -> int:
        """Pixels that the heads take above the panel."""
        return (round(0.7 * max(map(len, self.heads)) * LETTER) if self.slanted else 0) + TITLE if self.heads else 0

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width with the heads: a slanted head goes beyond the last column."""
        height, width, _ = self.pixels.shape
        return height + self.above, width + (self.above if self.slanted else 0)


def side_by_side(panels: Mapping[str, np.ndarray | Headed]) -> Figure:
    """Panels under their titles, up to four in a row; a pixel of the figure is a pixel of a panel.

    A figure that is wider than the page is shown smaller there. Its titles are larger by as much.

    Args:
        panels: title -> uint8, (height, width, 3), or such pixels with heads.
    """
    whole = {title: each if isinstance(each, Headed) else Headed(each) for title, each in panels.items()}
    height, width = (max(panel.shape[side] for panel in whole.values()) + GAP for side in (0, 1))
    width = max(width, max(map(len, panels)) * LETTER + GAP)
    columns = min(len(panels), PANELS_IN_A_ROW, max(1, round(WIDEST / SMALLEST) // width))
    total = columns * width, -(-len(panels) // columns) * (height + TITLE)
    figure, larger = _canvas(*total), min(MOST_LARGER, max(1.0, total[0] / WIDEST))
    for index, (title, panel) in enumerate(whole.items()):
        left, top = index % columns * width, index // columns * (height + TITLE)
        _write(figure, title, left + GAP / 2, top + TITLE - 5, TITLE_POINTS * larger)
        _draw_heads(figure, panel, (left + GAP // 2, top + TITLE + panel.above - 8), larger)
        origin = total[1] - top - TITLE - panel.shape[0]
        figure.figimage(panel.pixels, left + GAP // 2, origin, origin="upper")
    return figure


def _draw_heads(figure: Figure, panel: Headed, place: tuple[int, int], larger: float) -> None:
    """Draw the heads of a panel, from a place in pixels on; slanted ones, whose room is measured, keep their size."""
    left, base = place
    for column, head in enumerate(panel.heads):
        text = _write(
            figure, head, left + (column + 0.5) * panel.pitch, base, HEAD_POINTS * (1 if panel.slanted else larger)
        )
        text.set(ha="left" if panel.slanted else "center", rotation=45 if panel.slanted else 0, rotation_mode="anchor")


def _write(figure: Figure, words: str, left: float, base: float, size: float) -> Text:
    """Write words at a place in pixels from the figure's top left corner."""
    width, height = figure.get_size_inches() * figure.dpi
    return figure.text(left / width, 1 - base / height, words, fontsize=size, va="bottom", parse_math=False)


def _canvas(width: int, height: int) -> Figure:
    return Figure(figsize=(width / DOTS, height / DOTS), dpi=DOTS, facecolor="white")


def _rgb(canvas: np.ndarray) -> np.ndarray:
    return canvas.repeat(3, axis=2) if canvas.shape[2] == 1 else canvas
