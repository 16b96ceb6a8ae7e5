"""HDF5 files that appear whole or not at all, also on a disk that is full."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import h5py

from vaeline.system.files import written_aside

if TYPE_CHECKING:
    from typing_extensions import Buffer

FLUSHED_BYTES = 2**24  # after so many bytes the disk is told to start writing


@contextmanager
def created(path: Path) -> Iterator[h5py.File]:
    """Open a new HDF5 file, which appears under its name if the block ends without an error.

    Raises:
        UserError: the disk is full. No file is left.
    """
    with written_aside(path) as aside, _NeverFailing(aside, "w+") as raw:
        try:
            with h5py.File(raw, "w", libver=("v110", "v110")) as file:
                yield file
        finally:
            if raw.error:  # the cause of any other error, as when the block reads what could not be written
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
