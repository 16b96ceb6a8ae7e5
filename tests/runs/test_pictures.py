"""Grids of images."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from vaeline.runs.pictures import GAP, grid


def decode(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(png)))


def test_images_are_laid_out_in_rows() -> None:
    images = np.stack([np.full((3, 50, 60), value, np.uint8) for value in (10, 20, 30)])
    canvas = decode(grid(images, columns=2))
    assert canvas.shape == (101, 121, 3)
    assert (canvas[:50, :60] == 10).all()
    assert (canvas[:50, 61:] == 20).all()
    assert (canvas[51:, :60] == 30).all()
    assert (canvas[50] == GAP).all()
    assert (canvas[:, 60] == GAP).all()
    assert (canvas[51:, 61:] == GAP).all()  # the place of no image


def test_small_images_are_enlarged_pixel_by_pixel() -> None:
    image = np.arange(64, dtype=np.uint8).reshape(1, 1, 8, 8)
    canvas = decode(grid(image))
    assert canvas.shape == (48, 48)
    np.testing.assert_array_equal(canvas, image[0, 0].repeat(6, 0).repeat(6, 1))
    assert decode(grid(image.repeat(2, 0), columns=2)).shape == (48, 48 + 3 + 48)


def test_the_highest_level_is_white() -> None:
    canvas = decode(grid(np.array([0, 8, 16], np.uint8).reshape(3, 1, 1, 1), levels=17, columns=3))
    assert [canvas[0, 0], canvas[0, 48 + 24], canvas[0, 2 * (48 + 24)]] == [0, 128, 255]


def test_the_picture_is_nearly_square() -> None:
    assert decode(grid(np.zeros((9, 1, 48, 48), np.uint8))).shape == (3 * 49 - 1, 3 * 49 - 1)


def test_same_images_give_the_same_bytes() -> None:
    images = np.random.default_rng(0).integers(0, 256, (5, 3, 8, 8)).astype(np.uint8)
    assert grid(images) == grid(images.copy())


@pytest.mark.parametrize(
    "images", [np.zeros((2, 1, 4, 4)), np.zeros((2, 4, 4), np.uint8), np.zeros((0, 1, 4, 4), np.uint8)]
)
def test_other_arrays_are_refused(images: np.ndarray) -> None:
    with pytest.raises(ValueError, match="must be uint8"):
        grid(images)
