"""The HDF5 store of a preprocessed data set: 8-bit images or points, with labels and ids, in three checksummed splits.

Images are contiguous and uncompressed (photographs do not compress). A split is read as one block; if it does not fit in
memory, each row is read in one call, by its place in the file. The file contains no time and no path: the same images give
the same bytes.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, overload

import h5py
import numpy as np

from vaeline.data.facts import Facts
from vaeline.data.on_disk import OnDisk
from vaeline.system.errors import UserError
from vaeline.system.hdf5_files import created, opened

if TYPE_CHECKING:
    from hashlib import _Hash

POINTS = "the data are points, not images"  # why stages that need images have nothing to do
BLOCK_BYTES = 2**24  # of images that are read at once if they stay on disk


@dataclass(frozen=True)
class Split:
    """A split in memory."""

    images: np.ndarray  # uint8, (n, channel, height, width); points: float32, (n, dimensions)
    labels: np.ndarray  # int64, (n, columns), values 0..cardinality-1
    ids: list[str]

    @property
    def blocks(self) -> Iterable[np.ndarray]:
        """The images as a single block, for `write`."""
        return (self.images,)


@dataclass(frozen=True)
class SplitOnDisk:
    """A split with labels and ids in memory, and images that stay on disk."""

    images: OnDisk
    labels: np.ndarray  # int64, (n, columns)
    ids: list[str]


@dataclass(frozen=True)
class Stream:
    """A split whose images arrive block by block and are never in memory together."""

    blocks: Iterable[np.ndarray]  # as `Split.images`, (any, ...), n in total
    labels: np.ndarray  # int64, (n, columns)
    ids: list[str]


def write(path: Path, facts: Facts, splits: Mapping[str, Split | Stream]) -> Facts:
    """Write a store in one step; the same content gives the same bytes.

    Returns:
        The facts, with the counts and checksums of the splits filled in.

    Raises:
        UserError: the disk is full. No file is left.
    """
    with created(path) as file:
        checksums = {name: _write_split(file.create_group(name), split, facts) for name, split in splits.items()}
        facts = replace(facts, counts={name: len(split.ids) for name, split in splits.items()}, checksums=checksums)
        file.attrs["facts"] = json.dumps(asdict(facts), sort_keys=True)
    return facts


def _write_split(group: h5py.Group, split: Split | Stream, facts: Facts) -> str:
    """Write a split and return its checksum."""
    labels, ids = split.labels.astype(np.int64), np.array([each.encode() for each in split.ids])
    images = group.create_dataset("images", (len(ids), *facts.image_shape), facts.dtype)
    digest, start = _digest(facts), 0
    for block in split.blocks:
        content = np.ascontiguousarray(block)
        images[start : start + len(block)] = content
        digest.update(content.data)
        start += len(block)
    if not start == len(labels) == len(ids):
        raise ValueError(f"{group.name} came with {start} images, {len(labels)} rows of labels and {len(ids)} ids")
    group["labels"], group["ids"] = labels, ids
    return _finished(digest, labels, ids)


def _digest(facts: Facts) -> "_Hash":
    """A hash of what the levels and labels of a split mean. The content of the split is added to it later."""
    meant = {"pixels": facts.pixels, "range": facts.range, "levels": facts.levels, "labels": facts.label_values}
    return hashlib.sha256(json.dumps(meant, sort_keys=True).encode())


def _finished(digest: "_Hash", labels: np.ndarray, ids: np.ndarray) -> str:
    digest.update(labels.tobytes())
    digest.update(ids.tobytes())
    return digest.hexdigest()


def read_facts(path: Path) -> Facts:
    """Read what the images of a store are, without reading the images.

    Raises:
        UserError: there is no such file, or it is damaged.
    """
    with _opened(path) as file:
        return _facts(file)


def _facts(file: h5py.File) -> Facts:
    return Facts.from_dict(json.loads(file.attrs["facts"]))


def require_images(path: Path, facts: Facts) -> None:
    """Check that a store contains the images that a model was trained on.

    Args:
        path: of the store.
        facts: of the model.

    Raises:
        UserError: checksums, shapes, ranges or labels differ.
    """
    if replace(read_facts(path), preprocessing={}) != replace(facts, preprocessing={}):
        raise UserError(
            f"{path} holds other images than those that this run was trained on; make it again with "
            "`python -m pipeline_steps.preprocess`, or train the run again."
        )


@overload
def read_split(path: Path, name: str) -> Split: ...
@overload
def read_split(path: Path, name: str, most: int) -> Split | SplitOnDisk: ...
def read_split(path: Path, name: str, most: int | None = None) -> Split | SplitOnDisk:
    """Read a split (`train`, `validation` or `test`) and verify its checksum.

    Args:
        path: of the store.
        name: of the split.
        most: bytes of images that may be kept in memory; more stay on disk. None: any number.

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
    decoded = [each.decode() for each in ids]
    return SplitOnDisk(images, labels, decoded) if isinstance(images, OnDisk) else Split(images, labels, decoded)


def _read_images(path: Path, stored: h5py.Dataset, most: int | None, digest: "_Hash") -> np.ndarray | OnDisk:
    """The images, in memory if they have at most `most` bytes. In both cases the digest takes in all of them."""
    if most is None or stored.nbytes <= most:
        images: np.ndarray = stored[...]
        digest.update(images.data)
        return images
    rows = max(1, BLOCK_BYTES * len(stored) // stored.nbytes)
    for start in range(0, len(stored), rows):
        digest.update(stored[start : start + rows])
    return OnDisk(path, stored.id.get_offset(), stored.shape, stored.dtype)


@contextmanager
def _opened(path: Path) -> Iterator[h5py.File]:
    anew = "make it again with `python -m pipeline_steps.preprocess`"
    if not path.exists():
        raise UserError(f"There is no {path}; {anew}.")
    try:
        with opened(path) as file:
            yield file
    except (OSError, RuntimeError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path} is not a store of vaeline, or is damaged ({error}); remove it and {anew}.") from error
