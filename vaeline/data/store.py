"""The HDF5 store of a preprocessed data set: 8-bit images or points, with labels and ids, in three checksummed splits.

The facts about the images, sealed, name the data set, the settings that decide it, and the checksums of the splits.

Images are contiguous and uncompressed (photographs do not compress). A split is read as one block; if it does not fit in
memory, each row is read in one call, by its place in the file. The file contains no time and no path: the same images give
the same bytes.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, overload

import h5py
import numpy as np

from vaeline.data.facts import Facts
from vaeline.data.on_disk import OnDisk
from vaeline.data.paths import DATA, DataFiles
from vaeline.study.schema import Study
from vaeline.study.step_settings import again, require_settings, settings_of
from vaeline.system.errors import UserError
from vaeline.system.files import plain_json
from vaeline.system.hdf5_files import created, opened
from vaeline.system.sealed_files import seal, unseal

if TYPE_CHECKING:
    from hashlib import _Hash

POINTS = "the data are points, not images"  # why stages that need images have nothing to do
WHAT, AGAIN = "a store of vaeline", again("preprocess")
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
        facts = replace(
            facts,
            counts={name: len(split.ids) for name, split in splits.items()},
            checksums=checksums,
            training_counts=_counts(splits["train"].labels, facts) if "train" in splits else [],
        )
        file.attrs["facts"] = json.dumps(seal(asdict(facts)), sort_keys=True)
    return facts


def _counts(labels: np.ndarray, facts: Facts) -> list[list[int]]:
    """How many rows of labels, (n, columns), have each value of each column."""
    columns = zip(labels.astype(np.int64).T, facts.label_cardinalities, strict=True)
    return [np.bincount(column, minlength=values).tolist() for column, values in columns]


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
    return hashlib.sha256(plain_json(meant).encode())


def _finished(digest: "_Hash", labels: np.ndarray, ids: np.ndarray) -> str:
    digest.update(labels.tobytes())
    digest.update(ids.tobytes())
    return digest.hexdigest()


def read_facts(path: Path) -> Facts:
    """Read what the images of a store are, without reading the images.

    Raises:
        UserError: there is no such file, or it is damaged.
    """
    with opened(path, WHAT, AGAIN) as file:
        return _facts(file)


def read_facts_of(study: Study, folder: Path = DATA) -> Facts:
    """Read what the images of a study's store are.

    Raises:
        UserError: as in `read_facts`; or the store was made with other settings than those of the study.
    """
    path = DataFiles(study.dataset.id, folder).store
    facts = read_facts(path)
    made = facts.preprocessing.get("settings", {})
    require_settings(path, made, settings_of(study, "preprocess"), f"{AGAIN}, or give the data set another id")
    return facts


def verify(path: Path) -> Facts:
    """Read a whole store and verify its checksums. No more than a few images are in memory at once.

    Raises:
        UserError: there is no such file, or it is damaged.
    """
    with opened(path, WHAT, AGAIN) as file:
        facts = _facts(file)
        for name in facts.counts:
            _read_split(path, file, name, facts, most=0)
    return facts


def _facts(file: h5py.File) -> Facts:
    return Facts.from_dict(unseal(json.loads(file.attrs["facts"])))


def require_images(path: Path, facts: Facts, stored: Facts | None = None) -> None:
    """Check that a store contains the images that a model was trained on.

    Args:
        path: of the store.
        facts: of the model.
        stored: what `read_facts` said of the store; None if it was not read yet.

    Raises:
        UserError: checksums, shapes, ranges or labels differ.
    """
    if replace(stored or read_facts(path), preprocessing={}) != replace(facts, preprocessing={}):
        raise UserError(
            f"{path} holds other images than those that this run was trained on; {AGAIN}, or train the run again."
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
    with opened(path, WHAT, AGAIN) as file:
        return _read_split(path, file, name, _facts(file), most)


def _read_split(path: Path, file: h5py.File, name: str, facts: Facts, most: int | None) -> Split | SplitOnDisk:
    group, count = file[name], facts.counts[name]
    _check_stored(path, group["images"], (count, *facts.image_shape), np.dtype(facts.dtype))
    _check_stored(path, group["labels"], (count, len(facts.label_names)), np.dtype(np.int64))
    _check_stored(path, group["ids"], (count,), group["ids"].dtype)
    labels, ids, digest = group["labels"][...], group["ids"][...], _digest(facts)
    images = _read_images(path, file, group["images"], most, digest)
    if _finished(digest, labels, ids) != facts.checksums[name]:
        raise ValueError(f"the {name} split does not match its checksum")
    decoded = [each.decode() for each in ids]
    return SplitOnDisk(images, labels, decoded) if isinstance(images, OnDisk) else Split(images, labels, decoded)


def _check_stored(path: Path, stored: h5py.Dataset, shape: tuple[int, ...], dtype: np.dtype) -> None:
    """Check how a dataset is stored before it is read: a damaged header may announce terabytes.

    Raises:
        ValueError: it is not stored as `write` stores it.
    """
    plain = stored.chunks is None and not stored.is_virtual and not stored.external
    if stored.shape != shape or stored.dtype != dtype or not plain or stored.dtype.hasobject:
        raise ValueError(f"{stored.name} is {stored.dtype} {stored.shape}, where {dtype} {shape} is expected")
    offset = stored.id.get_offset()
    if stored.nbytes and (offset is None or offset + stored.nbytes > path.stat().st_size):
        raise ValueError(f"{stored.name} reaches past the end of the file")


def _read_images(
    path: Path, file: h5py.File, stored: h5py.Dataset, most: int | None, digest: "_Hash"
) -> np.ndarray | OnDisk:
    """The images, in memory if they have at most `most` bytes. In both cases the digest takes in all of them."""
    if most is None or stored.nbytes <= most:
        images: np.ndarray = stored[...]
        digest.update(images.data)
        return images
    same_file = os.fdopen(os.dup(file.id.get_vfd_handle()), "rb", buffering=0)  # its name may be another file's by now
    on_disk = OnDisk(path, same_file, stored.id.get_offset(), stored.shape, stored.dtype)
    rows = max(1, BLOCK_BYTES * len(stored) // stored.nbytes)
    for start in range(0, len(stored), rows):
        digest.update(stored[start : start + rows])
    return on_disk
