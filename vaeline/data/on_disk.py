"""Images that stay in the file of their store, for splits that are too large for memory.

The file has a checksum for each block of images. A block is checked before one of its images is used for the first time, so that a step
reads no more of a file than it needs, and none of it twice.
"""

import copy
import io
import os
from dataclasses import dataclass
from hashlib import sha256
from math import prod
from pathlib import Path
from typing import Self

import h5py
import numpy as np

from vaeline.data.on_demand import OnDemand
from vaeline.system.errors import UserError

CHECKED_BYTES = 2**20  # of images under one checksum; at least one image


@dataclass(frozen=True)
class Checks:
    """The checksums of an array, block by block."""

    sums: np.ndarray  # SHA-256 of each block of `rows_in_block` images, uint8, (blocks, 32)
    refusal: UserError  # what to say of a block that differs


class OnDisk(OnDemand):
    """The images of a split in the file of their store.

    The file stays open, so that a new store under the same name changes nothing here. It must not be written into: every read raises a
    UserError if it was, or if images are not those that were stored.

    Args:
        path: of the store, for errors.
        file: the store, as it was opened to be checked.
        offset: bytes before the first image.
        shape: (n, channel, height, width); points: (n, dimensions).
        dtype: as `Facts.dtype`.
        checks: None if the whole file is checked already.
    """

    def __init__(
        self,
        path: Path,
        file: io.FileIO,
        offset: int,
        shape: tuple[int, ...],
        dtype: np.dtype,
        checks: Checks | None = None,
    ) -> None:
        self.shape, self.dtype = shape, dtype
        self._path = path
        self._file, self._offset, self._state = file, offset, _state(file)
        self._bytes_each, self._count = dtype.itemsize * prod(shape[1:]), shape[0]
        self._rows: np.ndarray | None = None  # of the file, if these are some of its images
        self._checks = checks
        self._in_block = rows_in_block(shape, dtype)
        self._unchecked = np.full(-(-self._count // self._in_block), checks is not None)

    @classmethod
    def of(cls, path: Path, file: h5py.File, stored: h5py.Dataset, checks: Checks | None = None) -> "OnDisk":
        """A contiguous dataset of a file that is open: in that file, for its name may be another file's by now."""
        same_file = os.fdopen(os.dup(file.id.get_vfd_handle()), "rb", buffering=0)
        return cls(path, same_file, stored.id.get_offset(), stored.shape, stored.dtype, checks)

    def select(self, rows: np.ndarray) -> Self:
        some = copy.copy(self)
        some._rows = rows if self._rows is None else self._rows[rows]
        some.shape = (len(rows), *self.shape[1:])
        return some

    def take(self, rows: np.ndarray) -> np.ndarray:
        """Read images, (len(rows), ...)."""
        rows = rows if self._rows is None else self._rows[rows]
        self._check(np.unique(rows // self._in_block))
        images = np.empty((len(rows), self._bytes_each), np.uint8)
        for image, row in zip(images, rows.tolist(), strict=True):
            image[:] = self._read(row, 1)
        self._require_unchanged()
        return images.view(self.dtype).reshape(len(rows), *self.shape[1:])

    def whole(self) -> np.ndarray:
        """All images in memory; those of a whole file are read in blocks, which are checked on the way."""
        if self._rows is not None:
            return super().whole()
        images = np.empty((self._count, self._bytes_each), np.uint8)
        for start in range(0, self._count, self._in_block):
            images[start : start + self._in_block] = self._block(start // self._in_block)
        self._require_unchanged()
        return images.view(self.dtype).reshape(self.shape)

    def check(self) -> None:
        """Check all blocks of the file that no one has read yet."""
        self._check(np.arange(len(self._unchecked)))
        self._require_unchanged()

    def _check(self, blocks: np.ndarray) -> None:
        for block in blocks[self._unchecked[blocks]].tolist():
            self._block(block)

    def _block(self, block: int) -> np.ndarray:
        """A block of the file, checked."""
        start = block * self._in_block
        images = self._read(start, min(self._in_block, self._count - start))
        if self._checks is not None:
            if sha256(images.data).digest() != self._checks.sums[block].tobytes():
                self._require_unchanged()
                raise self._checks.refusal
            self._unchecked[block] = False
        return images

    def _read(self, row: int, count: int) -> np.ndarray:
        """Images of the file that follow one another, as bytes, (count, bytes)."""
        size = count * self._bytes_each
        content = os.pread(self._file.fileno(), size, self._offset + row * self._bytes_each)
        if len(content) < size:
            raise self._written_into()
        return np.frombuffer(content, np.uint8).reshape(count, self._bytes_each)

    def _require_unchanged(self) -> None:
        if _state(self._file) != self._state:
            raise self._written_into()

    def _written_into(self) -> UserError:
        return UserError(f"{self._path} was written into while this step read it; make it again, and run again.")


def rows_in_block(shape: tuple[int, ...], dtype: np.dtype) -> int:
    """How many images, or points, of a shape (n, ...) lie under one checksum."""
    return max(1, CHECKED_BYTES // max(1, dtype.itemsize * prod(shape[1:])))


class BlockSums:
    """The checksums of blocks of rows that arrive in pieces of any length."""

    def __init__(self, rows: int) -> None:
        self._rows, self._filled = rows, 0
        self._digest, self._done = sha256(), list[bytes]()

    def update(self, piece: np.ndarray) -> None:
        """Add rows."""
        piece = np.ascontiguousarray(piece)
        while len(piece):
            some = piece[: self._rows - self._filled]
            self._digest.update(some.data)
            self._filled, piece = self._filled + len(some), piece[len(some) :]
            if self._filled == self._rows:
                self._end_block()

    def finish(self) -> np.ndarray:
        """The checksums, uint8, (blocks, 32); nothing may be added afterwards."""
        if self._filled:
            self._end_block()
        return np.frombuffer(b"".join(self._done), np.uint8).reshape(-1, 32)

    def _end_block(self) -> None:
        self._done.append(self._digest.digest())
        self._digest, self._filled = sha256(), 0


def _state(file: io.FileIO) -> tuple[int, int]:
    """What changes when a file is written into: its size, and the time of its content."""
    found = os.fstat(file.fileno())
    return found.st_size, found.st_mtime_ns
