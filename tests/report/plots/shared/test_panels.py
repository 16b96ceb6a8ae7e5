"""Panels of images, pixel by pixel."""

import numpy as np
import pytest

from vaeline.report.plots.shared import panels, rendering
from vaeline.runs.pictures import grid

IMAGES = (
    np.random.default_rng(0).integers(0, 17, (2, 3, 1, 8, 8)).astype(np.uint8)
)  # (rows, columns, channel, height, width)


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
    canvas = panels.decoded(rendering.png(lambda: panels.side_by_side({"": panels.Headed(panel, heads)})))
    height, width = panel.shape[:2]
    left, base = panels.GAP // 2, canvas.shape[0] - panels.GAP
    assert np.array_equal(canvas[base - height : base, left : left + width], panel)
    assert (canvas[: base - height] < 128).any()  # letters
    assert (canvas.shape[1] > width + panels.GAP) == ("a long head" in heads)  # a slanted head needs room at the right


def test_titles_and_heads_stay_text_on_the_page() -> None:
    drawn = rendering.svg_for_page(lambda: panels.side_by_side({"one": panels.Headed(panels.rows(IMAGES, 17), ["7"])}))
    assert b">one<" in drawn and b">7<" in drawn and drawn.count(b"<image") == 1
