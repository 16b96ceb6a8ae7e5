"""HDF5 files that appear whole or not at all, also on a disk that is full."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import h5py

from vaeline.system.errors import UserError
from vaeline.system.files import written_aside

if TYPE_CHECKING:
    from typing_extensions import Buffer

LOCKED = ("unable to lock file", "already open for write")  # in the messages of HDF5
FLUSHED_BYTES = 2**24  # after so many bytes the disk is told to start writing


@contextmanager
def opened(path: Path) -> Iterator[h5py.File]:
    """Open an HDF5 file to read it.

    HDF5's own lock is not taken. A file that vaeline wrote is never written again in its place, and some file systems have no
    locks.

    Raises:
        UserError: another program has opened the file to write to it.
        OSError: it is not an HDF5 file, or is damaged.
    """
    try:
        file = _open_unlocked(path)
    except OSError as error:
        if any(sign in str(error) for sign in LOCKED):
            raise UserError(
                f"{path} is open for writing in another program, or was when that program crashed; close it there and run again, or "
                "else remove the file and make it again."
            ) from error
        raise
    with file:
        yield file


def _open_unlocked(path: Path) -> h5py.File:
    try:
        return h5py.File(path, "r", locking=False)
    except OSError as error:
        if "locking flag values" not in str(error):
            raise
        return h5py.File(path, "r")  # this process has the file open with locks


@contextmanager
def created(path: Path) -> Iterator[h5py.File]:
    """Open a new HDF5 file, which appears under its name if the block ends without an error.

    Raises:
        UserError: the disk is full. No file is left.
    """
    with written_aside(path) as aside, _NeverFailing(aside, "w+") as raw:
        with h5py.File(raw, "w", libver=("v110", "v110")) as file:
            yield file
        if raw.error:
            raise raw.error


class _NeverFailing(io.FileIO):
    """A file that keeps its first error for later, because HDF5 crashes the process if a write fails while it closes a file.

    The disk writes while more is computed. Otherwise it would write everything at the end, when the process waits for it.
    """

    error: OSError | None = None
    _waiting = 0  # bytes written since the disk was last told to start

    def write(self, data: "Buffer") -> int:
        rest = memoryview(data).cast("B")
        self._waiting += len(rest)
        try:
            while len(rest) and not self.error:
                rest = rest[super().write(rest) :]
            if self._waiting > FLUSHED_BYTES and sys.platform == "linux":
                # The advice covers only the bytes since the last one: older ones may stay in memory for the next reader.
                os.posix_fadvise(
                    self.fileno(), max(0, self.tell() - self._waiting), self._waiting, os.POSIX_FADV_DONTNEED
                )
                self._waiting = 0
        except OSError as error:
            self.error = error
        return memoryview(data).nbytes

    def truncate(self, size: int | None = None) -> int:
        try:
            return super().truncate(size)
        except OSError as error:
            self.error = self.error or error
            return size or 0
