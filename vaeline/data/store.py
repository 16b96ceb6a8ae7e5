"""The HDF5 store of a preprocessed data set: 8-bit images or points, with labels and ids, in three checksummed splits.

The facts about the images, sealed, name the data set, the settings that decide it, and the checksums of the splits.

Images are contiguous and uncompressed (photographs do not compress). Each block of them has a checksum, and the checksum of a split covers
those of its blocks, its labels and its ids. A split that fits in memory is read whole; otherwise each row is read in one call, by its
place in the file, and a block is checked before its first row is used. The file contains no time and no path: the same images give the
same bytes.

A data set of `Sprites` is stored as its sprites, once, and in each split the place of each image's sprite in place of its pixels. The checksum
of a split covers both, which are in memory; the images are never.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import overload

import h5py
import numpy as np

from vaeline.data.facts import Facts
from vaeline.data.on_demand import OnDemand
from vaeline.data.on_disk import BlockSums, Checks, OnDisk, rows_in_block
from vaeline.data.paths import DATA, DataFiles
from vaeline.data.sprites import PLACE, Sprites
from vaeline.study.schema import Study
from vaeline.study.step_settings import again, require_settings, settings_of
from vaeline.system.errors import OTHER_VERSION, UserError, damaged
from vaeline.system.files import plain_json
from vaeline.system.hdf5_files import created, opened
from vaeline.system.sealed_files import seal, unseal

POINTS = "the data are points, not images"  # why stages that need images have nothing to do
WHAT, AGAIN = "a store of vaeline", again("preprocess")
IMAGES, LABELS, IDS = "images", "labels", "ids"  # datasets of a split
PLACES, SPRITES = "places", "sprites"  # of each image, in place of images, and the dataset of the file with the sprites
SUMS = "sums"  # the dataset of a split with the checksums of its blocks of images, or places
IDS_SHA256 = "ids_sha256"  # the attribute of a split with the checksum of its ids


@dataclass(frozen=True)
class Split:
    """A split in memory."""

    images: np.ndarray  # uint8, (n, channel, height, width); points: float32, (n, dimensions)
    labels: np.ndarray  # int64, (n, columns), values 0..cardinality-1
    ids: list[str] = field(default_factory=list)  # none if they were not asked for

    @property
    def blocks(self) -> Iterable[np.ndarray]:
        """The images as a single block, for `write`."""
        return (self.images,)

    def some(self, rows: np.ndarray) -> "Split":
        """Some of the images, (n,) rows, without ids."""
        return Split(self.images[rows], self.labels[rows])


@dataclass(frozen=True)
class SplitOnDemand:
    """A split with labels in memory, and images that are read or drawn when they are asked for."""

    images: OnDemand
    labels: np.ndarray  # int64, (n, columns)
    ids: list[str] = field(default_factory=list)  # none if they were not asked for

    def some(self, rows: np.ndarray) -> "SplitOnDemand":
        """Some of the images, (n,) rows, still on demand, without ids."""
        return SplitOnDemand(self.images.select(rows), self.labels[rows])


@dataclass(frozen=True)
class Stream:
    """A split whose images arrive block by block and are never in memory together."""

    # As `Split.images`, or, if the store has sprites, as `Sprites.places`: (any, ...), n in total.
    blocks: Iterable[np.ndarray]
    labels: np.ndarray  # int64, (n, columns)
    ids: list[str]


@dataclass(frozen=True)
class Layout:
    """How all splits of a file hold their images: by pixels, or by places of the file's sprites."""

    name: str  # of the dataset of a split
    row: tuple[int, ...]  # the shape of what it holds of an image
    dtype: np.dtype
    shared: bytes  # what all splits use, and the checksum of each covers
    images: Callable[[OnDisk], OnDemand]  # of a split, from its dataset


def _layout(facts: Facts, sprites: np.ndarray | None) -> Layout:
    """The layout of a file with these sprites, uint8 (sprites, channel, height, width), or with none."""
    if sprites is None:
        return Layout(IMAGES, facts.image_shape, np.dtype(facts.dtype), b"", lambda stored: stored)
    size = facts.image_shape[1:]
    return Layout(PLACES, (3,), PLACE, sprites.tobytes(), lambda stored: Sprites(sprites, stored.whole(), size))


def write(path: Path, facts: Facts, splits: Mapping[str, Split | Stream], sprites: np.ndarray | None = None) -> Facts:
    """Write a store in one step; the same content gives the same bytes.

    Args:
        path: of the store.
        facts: about the images.
        splits: by their names.
        sprites: uint8, (sprites, channel, height, width), if splits have places of sprites; None if they have images.

    Returns:
        The facts, with the counts and checksums of the splits filled in.

    Raises:
        UserError: the disk is full. No file is left.
    """
    layout = _layout(facts, sprites)
    with created(path) as file:
        if sprites is not None:
            file[SPRITES] = sprites
        checksums = {
            name: _write_split(file.create_group(name), split, facts, layout) for name, split in splits.items()
        }
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


def _write_split(group: h5py.Group, split: Split | Stream, facts: Facts, layout: Layout) -> str:
    """Write a split and return its checksum."""
    labels, ids = split.labels.astype(_label_type(facts)), np.array([each.encode() for each in split.ids])
    stored = group.create_dataset(layout.name, (len(ids), *layout.row), layout.dtype)
    sums, start = BlockSums(rows_in_block(stored.shape, stored.dtype)), 0
    for block in split.blocks:
        stored[start : start + len(block)] = block
        sums.update(block)
        start += len(block)
    if not start == len(labels) == len(ids):
        raise ValueError(f"{group.name} came with {start} images, {len(labels)} rows of labels and {len(ids)} ids")
    group[LABELS], group[IDS], group[SUMS] = labels, ids, sums.finish()
    group.attrs[IDS_SHA256] = _ids_sha256(ids)
    return _checksum(facts, group, labels, layout)


def _label_type(facts: Facts) -> np.dtype:
    """The smallest type that holds the values of all columns."""
    return np.min_scalar_type(max([0, *(values - 1 for values in facts.label_cardinalities)]))


def _ids_sha256(ids: np.ndarray) -> str:
    return hashlib.sha256(ids.tobytes()).hexdigest()


def _checksum(facts: Facts, group: h5py.Group, labels: np.ndarray, layout: Layout) -> str:
    """The checksum of a split: of what its levels and labels mean, its labels, the checksums of its images and ids, and sprites."""
    meant = {"pixels": facts.pixels, "range": facts.range, "levels": facts.levels, "labels": facts.label_values}
    digest = hashlib.sha256(plain_json(meant).encode())
    for content in (group[SUMS][...].tobytes(), labels.tobytes(), group.attrs[IDS_SHA256].encode(), layout.shared):
        digest.update(content)
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
            _on_demand(path, file, name, facts).images.check()
            _read_ids(path, file, name, facts)
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
def read_split(path: Path, name: str, most: int) -> Split | SplitOnDemand: ...
def read_split(path: Path, name: str, most: int | None = None) -> Split | SplitOnDemand:
    """Read a split (`train`, `validation` or `test`) without its ids.

    Labels and images in memory are verified. Images on disk are verified when they are first read.

    Args:
        path: of the store.
        name: of the split.
        most: bytes of images that may be kept in memory; more stay on disk, and images of sprites are drawn each time. None: any number.

    Raises:
        UserError: there is no such file, or it is damaged.
    """
    with opened(path, WHAT, AGAIN) as file:
        return _read_split(path, file, name, _facts(file), most)


def read_ids(path: Path, name: str) -> list[str]:
    """Read and verify the ids of a split.

    Raises:
        UserError: there is no such file, or it is damaged.
    """
    with opened(path, WHAT, AGAIN) as file:
        return [each.decode() for each in _read_ids(path, file, name, _facts(file))]


def _read_ids(path: Path, file: h5py.File, name: str, facts: Facts) -> np.ndarray:
    """The ids, whose checksum is under that of the file's structure."""
    group = file[name]
    _check_stored(path, group[IDS], (facts.counts[name],), group[IDS].dtype)
    ids: np.ndarray = group[IDS][...]
    if _ids_sha256(ids) != group.attrs[IDS_SHA256]:
        raise ValueError(f"the ids of the {name} split do not match their checksum")
    return ids


def _read_split(path: Path, file: h5py.File, name: str, facts: Facts, most: int | None) -> Split | SplitOnDemand:
    split = _on_demand(path, file, name, facts)
    if most is None or (split.images.worth_keeping and split.images.nbytes <= most):
        return Split(split.images.whole(), split.labels)
    return split


def _on_demand(path: Path, file: h5py.File, name: str, facts: Facts) -> SplitOnDemand:
    """A split, of which all but the images is verified."""
    group, count, layout = file[name], facts.counts[name], _layout(facts, _sprites(path, file, facts))
    shape = (count, *layout.row)
    _check_stored(path, group[layout.name], shape, layout.dtype)
    _check_stored(path, group[LABELS], (count, len(facts.label_names)), _label_type(facts))
    _check_stored(path, group[SUMS], (-(-count // rows_in_block(shape, layout.dtype)), 32), np.dtype(np.uint8))
    labels = group[LABELS][...]
    if _checksum(facts, group, labels, layout) != facts.checksums[name]:
        raise ValueError(f"the {name} split does not match its checksum")
    return SplitOnDemand(_images(path, file, name, layout), labels.astype(np.int64))


def _sprites(path: Path, file: h5py.File, facts: Facts) -> np.ndarray | None:
    """The sprites of a file, (sprites, channel, height, width); None if it has images."""
    if SPRITES not in file:
        return None
    stored, channels = file[SPRITES], facts.image_shape[0]
    if stored.ndim != 4 or stored.shape[1] != channels:
        raise ValueError(f"{stored.name} is of {stored.shape}, where (sprites, {channels}, height, width) is expected")
    _check_stored(path, stored, stored.shape, np.dtype(np.uint8))
    sprites: np.ndarray = stored[...]
    return sprites


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


def _images(path: Path, file: h5py.File, name: str, layout: Layout) -> OnDemand:
    """The images of a split, on disk, or drawn at their places."""
    what, why = f"not {WHAT}, or is {OTHER_VERSION}", f"the {name} split does not match its checksum"
    checks = Checks(file[name][SUMS][...], damaged(path, why, f"remove it and {AGAIN}", what))
    return layout.images(OnDisk.of(path, file, file[name][layout.name], checks))
