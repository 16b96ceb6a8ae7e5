"""Panels of images, pixel by pixel."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from vaeline.report.plots.shared import panels, rendering
from vaeline.runs.pictures import grid

IMAGES = (
    np.random.default_rng(0).integers(0, 17, (2, 3, 1, 8, 8)).astype(np.uint8)
)  # (rows, columns, channel, height, width)


def encoded(panel: np.ndarray) -> np.ndarray:
    """A panel as it comes back from a PNG file."""
    file = BytesIO()
    Image.fromarray(panel).save(file, "PNG")
    return panels.decoded(file.getvalue())


def test_a_panel_has_the_pixels_of_a_grid_in_a_file() -> None:
    expected = panels.decoded(grid(IMAGES.reshape(-1, 1, 8, 8), 17, columns=3))
    assert np.array_equal(panels.rows(IMAGES, 17), expected)


def test_panels_are_laid_out_pixel_for_pixel() -> None:
    panel = panels.rows(IMAGES, 17)
    canvas = panels.decoded(rendering.png(lambda: panels.side_by_side({"one": panel, "two": 255 - panel})))
    height, width = panel.shape[:2]
    assert canvas.shape == (height + panels.GAP + panels.TITLE, 2 * (width + panels.GAP), 3)
    for place, expected in enumerate((panel, 255 - panel)):
        left = panels.GAP // 2 + place * (width + panels.GAP)
        assert np.array_equal(canvas[panels.TITLE : panels.TITLE + height, left : left + width], expected)


@pytest.mark.parametrize("heads", [["a", "b", "c"], ["a long head", "b", "c"]])
def test_heads_stand_above_a_panel_and_leave_its_pixels(heads: list[str]) -> None:
    panel = panels.rows(IMAGES, 17)
    headed = panels.headed(panel, heads)
    height, width = panel.shape[:2]
    assert np.array_equal(headed[-height:, :width], panel)
    assert (headed[:-height] < 128).any()  # letters
    assert (headed.shape[1] > width) == ("a long head" in heads)  # a slanted head needs room at the right


def test_a_headed_panel_has_the_pixels_of_its_png_file() -> None:
    """Panels were once encoded and decoded on their way into a plot; the pixels are those of that detour."""
    headed = panels.headed(panels.rows(IMAGES, 17), ["a", "b", "c"])
    straight, round_about = (
        panels.decoded(rendering.png(lambda panel=panel: panels.side_by_side({"one": panel})))
        for panel in (headed, encoded(headed))
    )
    assert np.array_equal(straight, round_about)
