"""HDF5 files that appear whole or not at all, also on a disk that is full, and whose structure is under a checksum.

The library of HDF5 may loop for ever, crash or allocate terabytes when it meets a damaged structure. A file therefore ends
with a note of our own, which HDF5 ignores: the checksum of all bytes except those of large datasets, which the readers of
these datasets verify. A file is opened only if the checksum is right.
"""

import errno
import fcntl
import hashlib
import io
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import h5py

from vaeline.system.errors import OTHER_VERSION, UserError, damaged, missing, unreadable
from vaeline.system.files import written_aside
from vaeline.system.sealed_files import seal, unseal

if TYPE_CHECKING:
    from typing_extensions import Buffer

UNREADABLE = {
    errno.EACCES,
    errno.EPERM,
    errno.EIO,
    errno.ESTALE,
    errno.EISDIR,
    errno.EMFILE,
    errno.ENFILE,
}  # no fault of the file
LARGE = 2**16  # bytes; the checksum of the structure leaves out larger datasets
MARK = b"vaeline\n"  # the last bytes of a file
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
                large = _large(file)
            if not raw.error:
                raw.write(_note(raw, large))
        finally:
            if raw.error:  # the cause of any other error, as when the block reads what could not be written
                raise raw.error


@contextmanager
def opened(path: Path, what: str, again: str) -> Iterator[h5py.File]:
    """Open an HDF5 file to read it. Any error inside the block is an error of the file.

    HDF5 takes no lock: the files of vaeline are replaced whole, and some file systems have no locks.

    Args:
        path: of the file.
        what: it should be, as in "a store of vaeline".
        again: what to do if it is missing or damaged, as in "run `...` again".

    Raises:
        UserError: the file is missing, cannot be read, is open for writing, or is damaged.
    """
    try:
        with path.open("rb", buffering=0) as raw:
            _check_lock(raw)
            _check_structure(raw)
            checked = os.fstat(raw.fileno())
        with h5py.File(path, "r", locking=False) as file:
            if not os.path.samestat(checked, os.fstat(file.id.get_vfd_handle())):
                raise UserError(f"{path} was replaced while it was opened; run again.")
            yield file
    except (UserError, MemoryError):
        raise
    except FileNotFoundError as error:
        raise missing(path, again) from error
    except Exception as error:  # HDF5 and h5py answer damage with errors of many types
        raise _explained(path, what, again, error) from error


def _check_lock(raw: io.FileIO) -> None:
    """Notice a program that has the file open for writing, which HDF5 locks it for.

    Raises:
        BlockingIOError: there is one.
    """
    try:
        fcntl.flock(raw, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError:  # a file system without locks
        return


def _large(file: h5py.File) -> list[list[int]]:
    """The places of large datasets in the file, in order: [offset, bytes]."""
    datasets: list[h5py.Dataset] = []
    file.visititems(lambda _, each: datasets.append(each) if isinstance(each, h5py.Dataset) else None)
    places = [(each.id.get_offset(), each.nbytes) for each in datasets]
    return sorted([offset, size] for offset, size in places if offset is not None and size > LARGE)


def _note(raw: io.FileIO, large: list[list[int]]) -> bytes:
    """The note at the end of a file: JSON, its length, and the mark."""
    end = raw.seek(0, os.SEEK_END)
    content = json.dumps(seal({"bytes": end, "large": large, "structure": _hash(raw, end, large)})).encode()
    raw.seek(end)
    return content + len(content).to_bytes(8, "little") + MARK


def _check_structure(raw: io.FileIO) -> None:
    """Check the structure of a file against the note at its end.

    Raises:
        ValueError: there is no note, or the structure was changed since it was written.
    """
    size = raw.seek(0, os.SEEK_END)
    raw.seek(max(0, size - 16))
    length, mark = int.from_bytes(raw.read(8), "little"), raw.read()
    if mark != MARK or length > size - 16:
        raise ValueError("it does not end with its checksum")
    end = size - 16 - length
    raw.seek(end)
    note = unseal(json.loads(raw.read(length)))
    if note["bytes"] != end or note["structure"] != _hash(raw, end, note["large"]):
        raise ValueError("the checksum of its structure differs")


def _hash(raw: io.FileIO, end: int, large: list[list[int]]) -> str:
    """The checksum of the first `end` bytes of a file, except those of large datasets."""
    digest, at = hashlib.sha256(), 0
    for offset, size in [*large, [end, 0]]:
        raw.seek(at)
        while at < offset:
            block = raw.read(min(offset - at, FLUSHED_BYTES))
            if not block:
                raise ValueError("it is shorter than it was")
            digest.update(block)
            at += len(block)
        at = offset + size
    return digest.hexdigest()


def _explained(path: Path, what: str, again: str, error: Exception) -> UserError:
    if isinstance(error, BlockingIOError) or any(word in str(error) for word in ("unable to lock", "already open for")):
        return UserError(
            f"{path} is open for writing in another program, or such a program was killed; close the program and run again, "
            f"or {again}."
        )
    if isinstance(error, OSError) and error.errno in UNREADABLE:
        return unreadable(path, error)
    return damaged(path, error, f"remove it and {again}", f"not {what}, or is {OTHER_VERSION}")


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
