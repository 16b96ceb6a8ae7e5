"""The HDF5 store of a preprocessed data set: 8-bit images or points, with labels and ids, in three checksummed splits.

Images are contiguous and uncompressed (faces do not compress), so that a split is read as one block, and a row of it, by its
place in the file, in one call where the split has no room in memory. The file holds no time and no path: the same images give the
same bytes.
"""

import hashlib
import io
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from math import prod
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from vaeline.data.facts import Facts
from vaeline.system.errors import UserError
from vaeline.system.files import written_aside

POINTS = "the data are points, not images"  # why stages that look at images have nothing to do
BLOCK_BYTES = 2**24  # of images that are read at once where they are not kept


class OnDisk:
    """Images of a split that stay in the file of their store, of which rows are read as they are asked for.

    The file is held open: a store that is made anew under the same name changes nothing here.

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
        """As `numpy.ndarray.take` along the first axis; from any thread."""
        images = np.empty((len(rows), self._bytes_each), np.uint8)
        for image, row in zip(images, rows.tolist(), strict=True):
            content = os.pread(self._file.fileno(), self._bytes_each, self._offset + row * self._bytes_each)
            image[:] = np.frombuffer(content, np.uint8)
        return images.view(self.dtype).reshape(len(rows), *self.shape[1:])


@dataclass(frozen=True)
class Split:
    """A split with labels and names in memory, and images where there is room for them."""

    images: Any  # numpy.ndarray or OnDisk: uint8, (n, channel, height, width); points: float32, (n, dimensions)
    labels: np.ndarray  # int64, (n, columns), values 0..cardinality-1
    ids: list[str]

    @property
    def blocks(self) -> Iterable[np.ndarray]:
        """The images as one block, as `write` wants them."""
        return (self.images,)


@dataclass(frozen=True)
class Stream:
    """A split whose images arrive block by block and are never in memory together."""

    blocks: Iterable[np.ndarray]  # as in `Split.images`, (any, ...), n in all
    labels: np.ndarray  # int64, (n, columns)
    ids: list[str]


def write(path: Path, facts: Facts, splits: Mapping[str, Split | Stream]) -> Facts:
    """Write a store in one step; the same content gives the same bytes.

    Returns:
        The facts with the splits' counts and checksums filled in.

    Raises:
        UserError: the disk is full. No file is left.
    """
    with created(path) as file:
        checksums = {name: _write_split(file.create_group(name), split, facts) for name, split in splits.items()}
        facts = replace(facts, counts={name: len(split.ids) for name, split in splits.items()}, checksums=checksums)
        file.attrs["facts"] = json.dumps(asdict(facts), sort_keys=True)
    return facts


@contextmanager
def created(path: Path) -> Iterator[h5py.File]:
    """Open a new HDF5 file that appears whole under its name once the block ends, or not at all.

    Raises:
        UserError: the disk is full. No file is left.
    """
    with written_aside(path) as aside, _NeverFailing(aside, "w+") as raw:
        with h5py.File(raw, "w", libver=("v110", "v110")) as file:
            yield file
        if raw.error:
            raise raw.error


class _NeverFailing(io.FileIO):
    """A file that keeps its first error for later: HDF5 crashes the process when a write fails while it closes a file.

    What is written goes to the disk while more is made, and not all of it at the end, when it is waited for.
    """

    error: OSError | None = None
    _waiting = 0  # bytes written since the disk was last told to start

    def write(self, data: Any) -> int:
        rest = memoryview(data).cast("B")
        self._waiting += len(rest)
        try:
            while len(rest) and not self.error:
                rest = rest[super().write(rest) :]
            if self._waiting > BLOCK_BYTES and hasattr(os, "posix_fadvise"):
                # Of what has come since the last time alone: the rest may lie in memory for whoever reads it next.
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


def _write_split(group: h5py.Group, split: Split | Stream, facts: Facts) -> str:
    """Write a split and return its checksum."""
    labels, ids = split.labels.astype(np.int64), np.array([each.encode() for each in split.ids])
    images = group.create_dataset("images", (len(ids), *facts.image_shape), facts.dtype)
    digest, start = _digest(facts), 0
    for block in split.blocks:
        content = np.ascontiguousarray(block)
        images[start : start + len(block)] = content
        digest.update(content)
        start += len(block)
    if not start == len(labels) == len(ids):
        raise ValueError(f"{group.name} came with {start} images, {len(labels)} rows of labels and {len(ids)} ids")
    group["labels"], group["ids"] = labels, ids
    return _finished(digest, labels, ids)


def _digest(facts: Facts) -> Any:
    """A hash that has taken in what the levels of a split stand for."""
    meant = {"pixels": facts.pixels, "range": facts.range, "levels": facts.levels, "labels": facts.label_values}
    return hashlib.sha256(json.dumps(meant, sort_keys=True).encode())


def _finished(digest: Any, labels: np.ndarray, ids: np.ndarray) -> str:
    digest.update(labels.tobytes())
    digest.update(ids.tobytes())
    return str(digest.hexdigest())


def read_facts(path: Path) -> Facts:
    """Read what the images of a store are, not the images.

    Raises:
        UserError: there is no such file, or it is damaged.
    """
    with _opened(path) as file:
        return _facts(file)


def _facts(file: h5py.File) -> Facts:
    return Facts.from_dict(json.loads(file.attrs["facts"]))


def require_images(path: Path, facts: Facts) -> None:
    """Refuse a store of other images than those that `facts`, of a trained model, tell of.

    Raises:
        UserError: checksums, shapes, ranges or labels differ.
    """
    if replace(read_facts(path), preprocessing={}) != replace(facts, preprocessing={}):
        raise UserError(
            f"{path} holds other images than those that this run was trained on; make it anew with "
            "`python -m pipeline_steps.preprocess`, or train the run again."
        )


def read_split(path: Path, name: str, most: int | None = None) -> Split:
    """Read a split (`train`, `validation` or `test`) and verify its checksum.

    Args:
        path: of the store.
        name: of the split.
        most: bytes of images that may be held in memory; more stay on disk. None: any number.

    Raises:
        UserError: there is no such file, or it is damaged.
    """
    with _opened(path) as file:
        group = file[name]
        labels, ids = group["labels"][...], group["ids"][...]
        facts = _facts(file)
        digest = _digest(facts)
        images = _read_images(path, group["images"], most, digest)
        if _finished(digest, labels, ids) != facts.checksums[name]:
            raise OSError(f"the {name} split does not match its checksum")
    return Split(images, labels, [each.decode() for each in ids])


def _read_images(path: Path, stored: h5py.Dataset, most: int | None, digest: Any) -> np.ndarray | OnDisk:
    """The images, in memory if they are no more than `most` bytes; all of them go into the digest."""
    if most is None or stored.nbytes <= most:
        images = stored[...]
        digest.update(images)
        return images
    rows = max(1, BLOCK_BYTES * len(stored) // stored.nbytes)
    for start in range(0, len(stored), rows):
        digest.update(stored[start : start + rows])
    return OnDisk(path, stored.id.get_offset(), stored.shape, stored.dtype)


@contextmanager
def _opened(path: Path) -> Iterator[h5py.File]:
    anew = "make it anew with `python -m pipeline_steps.preprocess`"
    if not path.exists():
        raise UserError(f"There is no {path}; {anew}.")
    try:
        with h5py.File(path, "r") as file:
            yield file
    except (OSError, RuntimeError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path} is not a store of vaeline, or is damaged ({error}); remove it and {anew}.") from error
