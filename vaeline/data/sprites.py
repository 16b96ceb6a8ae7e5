"""Images of one sprite each, for data sets with so many images that only their sprites are kept."""

from typing import Self

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from vaeline.data.on_demand import OnDemand

PLACE = np.dtype(np.uint16)  # of the three numbers of an image


class Sprites(OnDemand):
    """Images that show one sprite each on black, which are drawn when they are asked for.

    Args:
        sprites: uint8, (sprites, channel, height, width).
        places: of each image, its sprite, and the row and the column of the sprite's first pixel, (n, 3).
        size: height and width of the images; no sprite reaches beyond them.

    Raises:
        ValueError: a place names no sprite, or a sprite would be cut.
    """

    worth_keeping = False  # they take much memory, and are drawn as fast as they are read

    def __init__(self, sprites: np.ndarray, places: np.ndarray, size: tuple[int, ...]) -> None:
        last = np.minimum([len(sprites) - 1, *np.subtract(size, sprites.shape[2:])], np.iinfo(PLACE).max)
        if len(places) and ((places > last) | (places < 0)).any():
            low, high = places.min(0).tolist(), places.max(0).tolist()
            raise ValueError(f"places from {low} to {high}, where the last are {last.tolist()}")
        self.sprites, self.places = sprites, places.astype(PLACE, copy=False)
        self.shape, self.dtype = (len(places), sprites.shape[1], *size), np.dtype(np.uint8)

    def take(self, rows: np.ndarray) -> np.ndarray:
        """Draw images, (len(rows), channel, height, width)."""
        which, row, column = self.places[rows].T
        images = np.zeros((len(rows), *self.shape[1:]), np.uint8)
        windows = sliding_window_view(images, self.sprites.shape[2:], axis=(2, 3), writeable=True)
        windows[np.arange(len(rows)), :, row, column] = self.sprites[which]
        return images

    def select(self, rows: np.ndarray) -> Self:
        return type(self)(self.sprites, self.places[rows], self.shape[2:])
