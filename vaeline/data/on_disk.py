"""Images that stay in the file of their store, for splits that are too large for memory."""

import os
from math import prod
from pathlib import Path

import numpy as np


class OnDisk:
    """The images of a split in the file of their store; rows are read when they are asked for.

    The file stays open, so that a new store under the same name changes nothing here.

    Args:
        path: of the store.
        offset: bytes before the first image.
        shape: (n, channel, height, width); points: (n, dimensions).
        dtype: as `Facts.dtype`.
    """

    def __init__(self, path: Path, offset: int, shape: tuple[int, ...], dtype: np.dtype) -> None:
        self.shape, self.dtype = shape, dtype
        self._file, self._offset = path.open("rb", buffering=0), offset
        self._bytes_each = dtype.itemsize * prod(shape[1:])

    def __len__(self) -> int:
        return self.shape[0]

    def take(self, rows: np.ndarray, axis: int = 0) -> np.ndarray:
        """Like `numpy.ndarray.take` along the first axis; any thread may call it."""
        images = np.empty((len(rows), self._bytes_each), np.uint8)
        for image, row in zip(images, rows.tolist(), strict=True):
            content = os.pread(self._file.fileno(), self._bytes_each, self._offset + row * self._bytes_each)
            image[:] = np.frombuffer(content, np.uint8)
        return images.view(self.dtype).reshape(len(rows), *self.shape[1:])
