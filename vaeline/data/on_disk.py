"""Images that stay in the file of their store, for splits that are too large for memory."""

import io
import os
from math import prod
from pathlib import Path

import numpy as np

from vaeline.system.errors import UserError


class OnDisk:
    """The images of a split in the file of their store; rows are read when they are asked for.

    The file stays open, so that a new store under the same name changes nothing here. It must not be written into.

    Args:
        path: of the store, for errors.
        file: the store, as it was opened to be checked.
        offset: bytes before the first image.
        shape: (n, channel, height, width); points: (n, dimensions).
        dtype: as `Facts.dtype`.
    """

    def __init__(self, path: Path, file: io.FileIO, offset: int, shape: tuple[int, ...], dtype: np.dtype) -> None:
        self.shape, self.dtype = shape, dtype
        self._path = path
        self._file, self._offset, self._state = file, offset, _state(file)
        self._bytes_each = dtype.itemsize * prod(shape[1:])

    def __len__(self) -> int:
        return self.shape[0]

    def take(self, rows: np.ndarray, axis: int = 0) -> np.ndarray:
        """Like `numpy.ndarray.take` along the first axis; any thread may call it.

        Raises:
            UserError: the file was written into.
        """
        images = np.empty((len(rows), self._bytes_each), np.uint8)
        for image, row in zip(images, rows.tolist(), strict=True):
            content = os.pread(self._file.fileno(), self._bytes_each, self._offset + row * self._bytes_each)
            image[:] = np.frombuffer(content, np.uint8)
        if _state(self._file) != self._state:
            raise UserError(f"{self._path} was written into while this step read it; make it again, and run again.")
        return images.view(self.dtype).reshape(len(rows), *self.shape[1:])


def _state(file: io.FileIO) -> tuple[int, int]:
    """What changes when a file is written into: its size, and the time of its content."""
    found = os.fstat(file.fileno())
    return found.st_size, found.st_mtime_ns
