"""Data sets before preprocessing: what the file of a data set offers, and how its images are fetched and read.

A data set is a file of `vaeline/data/sets/`, and its name in a study is the name of the file. The file offers one object:

    LOADER = Loader(read=read, download=download)

`read(dataset, folder)` checks the files in `folder` and returns RawImages. Encoded images stay where they are until
preprocessing decodes them. A data set that has few sprites at many places may return `Sprites`, which are drawn when they are asked for. `download(dataset, folder)` brings the files that `folder` lacks; a data set that is embedded in a
package, or computed, has no download. Both raise a UserError that names the file and says what to do. If the data set has
keys of its own, the file has a class `Options(PartOptions)` with them, as other parts have, and finds their values in `dataset.options`.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from math import prod
from pathlib import Path
from typing import TypedDict

import numpy as np

from vaeline.data import bad_images
from vaeline.data.archive import Files
from vaeline.data.decoding import Header
from vaeline.data.labels import Labels
from vaeline.data.on_demand import Images
from vaeline.data.paths import downloads
from vaeline.data.spelling import visible
from vaeline.data.splits import SPLITS
from vaeline.study import parts
from vaeline.study.schema import Dataset
from vaeline.system.errors import UserError, shown, some_of
from vaeline.system.locks import locked
from vaeline.system.project import expanded, main_worktree


@dataclass(frozen=True)
class HeaderSummary:
    """What the headers of images say."""

    grey: int  # images without colour
    coloured: int
    transparent: int  # images with an alpha channel or a transparent colour
    smallest: tuple[int, int] = (0, 0)  # width and height of the image with the fewest pixels
    largest: tuple[int, int] = (0, 0)
    longest: float = 1.0  # the longer side over the shorter one, of the image where this is largest

    @classmethod
    def of(cls, headers: Collection[Header]) -> "HeaderSummary":
        """The summary of these headers."""
        grey = sum(header.grey for header in headers)
        transparent = sum(header.transparent for header in headers)
        sizes = sorted({header.size for header in headers}, key=prod)
        if not sizes:
            return cls(grey, 0, transparent)
        longest = max(max(size) / min(size) for size in sizes)
        return cls(grey, len(headers) - grey, transparent, sizes[0], sizes[-1], longest)

    @property
    def channels(self) -> int:
        """1 if every image is grey, otherwise 3."""
        return 3 if self.coloured else 1


@dataclass(frozen=True)
class EncodedImages:
    """Image files (JPEG, PNG...) that are decoded later."""

    archive: Files
    names: list[str]  # in the archive, (n,)
    channels: int  # 1 or 3, to decode to
    headers: dict[str, Header] | None = None  # by name; damaged images may have none. None: they were not read

    @property
    def summary(self) -> HeaderSummary | None:
        """What the headers say; None if they were not read."""
        return None if self.headers is None else HeaderSummary.of(self.headers.values())

    def without(self, skipped: Collection[str]) -> "EncodedImages":
        """The images without some, as if these had never been there."""
        names = [name for name in self.names if name not in skipped]
        if self.headers is None:
            return replace(self, names=names)
        headers = {name: header for name, header in self.headers.items() if name not in skipped}
        return EncodedImages(self.archive, names, HeaderSummary.of(headers.values()).channels, headers)


@dataclass(frozen=True)
class RawImages:
    """The images and labels of a data set before preprocessing."""

    images: Images | EncodedImages  # uint8, (n, channel, height, width); points: float32, (n, dimensions)
    labels: Labels
    ids: list[str]  # (n,), all different
    # The files that were read: name -> bytes, sha256 (see `checksums.fingerprint`).
    files: dict[str, dict[str, int | str]]
    levels: int | None = 256  # of a pixel; None for points
    official: np.ndarray | None = None  # the given split of each image (train, validation or test), as text, (n,)
    groups: np.ndarray | None = None  # the group of each image, such as a person, as text, (n,)
    copies: np.ndarray | None = None  # equal numbers for images with the same bytes, (n,); None: not compared
    notes: list[str] = field(default_factory=list)  # sentences for the user: what was found, used and passed over


class Manifest(TypedDict):
    """What the download step found, as JSON."""

    id: str
    dataset: str
    source: str
    files: dict[str, dict[str, int | str]]
    images: int
    notes: list[str]
    skipped: dict[str, str]  # images that cannot be decoded, with the reason, if `dataset.on_bad_image` is `skip`


@dataclass(frozen=True)
class Loader:
    """How a data set is read and downloaded."""

    read: Callable[[Dataset, Path], RawImages]
    download: Callable[[Dataset, Path], None] | None = None  # None: the data set needs no files


def loader(name: str) -> Loader:
    """The loader that the file of a data set offers.

    Raises:
        UserError: the file offers none, or one of another type.
    """
    found = vars(parts.module("sets", name)).get("LOADER")
    if isinstance(found, Loader) and callable(found.read) and (found.download is None or callable(found.download)):
        for called in filter(None, (found.read, found.download)):
            parts.check_takes(called, [None, None], f"{called.__name__} in {parts.shown_file('sets', name)}")
        return found
    came = "no LOADER" if found is None else f"the LOADER {found!r}"
    raise UserError(
        f"{parts.shown_file('sets', name)} offers {came}; end the file with `LOADER = Loader(read=read, download=download)`, "
        "both functions, and leave download out if the data set needs no files."
    )


def folder(dataset: Dataset) -> Path:
    """The folder of a data set's files: its source, or the folder of downloads that all studies share."""
    below = downloads(dataset.name) if dataset.source == "download" else expanded(dataset.source)
    return main_worktree() / below


def fetch(dataset: Dataset) -> Manifest:
    """Download the files that are missing, or check a local copy in place.

    Returns:
        The manifest: the source, each file's bytes and SHA-256, the number of images.

    Raises:
        UserError: the files cannot be downloaded, are damaged, or are not those of the data set.
    """
    download = loader(dataset.name).download
    if dataset.source == "download" and download:
        with locked(folder(dataset), "downloading"):
            download(dataset, folder(dataset))
    raw = read(dataset)
    skips = dataset.on_bad_image == "skip" and isinstance(raw.images, EncodedImages)
    skipped = _bad_images(raw.images) if skips else {}
    _check_nothing_vanished(raw, without(raw, skipped), folder(dataset))
    return manifest(dataset, raw, skipped)


def _bad_images(images: Images | EncodedImages) -> dict[str, str]:
    assert isinstance(images, EncodedImages)
    return bad_images.find(images.archive, images.names, images.channels)


def _check_nothing_vanished(before: RawImages, after: RawImages, source: Path) -> None:
    """Check that no value of a label and no split has lost all its images."""
    lost = []
    columns = zip(before.labels.codes.T, after.labels.codes.T, before.labels.names, before.labels.values, strict=True)
    for old, new, name, values in columns:
        lost += [f"{name}={values[code]}" for code in np.setdiff1d(old, new)]
    if before.official is not None and after.official is not None:
        lost += [f"the split {split}" for split in np.setdiff1d(before.official, after.official)]
    if lost:
        raise UserError(
            f"No image of {some_of(lost)} in {source} can be decoded, so that dataset.on_bad_image: skip would leave none; replace these images, or remove "
            "all of them."
        )


def without(raw: RawImages, skipped: Collection[str]) -> RawImages:
    """The images of a data set without those whose names in their archive are `skipped`."""
    if not skipped or not isinstance(raw.images, EncodedImages):
        return raw
    rows = [row for row, name in enumerate(raw.images.names) if name not in skipped]
    return replace(
        raw,
        images=raw.images.without(skipped),
        labels=replace(raw.labels, codes=raw.labels.codes[rows]),
        ids=[raw.ids[row] for row in rows],
        official=None if raw.official is None else raw.official[rows],
        groups=None if raw.groups is None else raw.groups[rows],
        copies=None if raw.copies is None else raw.copies[rows],
    )


def read(dataset: Dataset) -> RawImages:
    """Read the images of a data set, and the label columns that `dataset.labels` chooses.

    Raises:
        UserError: the files are missing or damaged, or `dataset.labels` names a column that does not exist.
    """
    where, offered = folder(dataset), loader(dataset.name)
    if not where.is_dir() and (dataset.source != "download" or offered.download):
        raise UserError(
            f"dataset.source is {dataset.source!r}, but there is no folder {where}; give another source, or, if it is "
            "`download`, run `python -m pipeline_steps.download`."
        )
    dataset = _with_visible_names(dataset)
    raw = offered.read(dataset, where)
    if fault := _fault(raw):
        raise UserError(
            f"read in {parts.shown_file('sets', dataset.name)} returned {fault}; return RawImages as it is described."
        )
    if dataset.bins and not isinstance(raw.images, EncodedImages):
        raise UserError(
            f"dataset.bins is {dataset.bins}, but {dataset.name} has no columns of numbers; set it to {{}}."
        )
    return replace(raw, labels=raw.labels.choose(dataset.labels))


def _with_visible_names(dataset: Dataset) -> Dataset:
    """The settings with the names of columns as the headers of tables have them: in one way to compose an accent."""
    labels, split = dataset.labels, dataset.split
    column, group = (name if name is None else visible(name) for name in (split.column, split.group))
    changed = {
        "labels": labels if isinstance(labels, str) else list(map(visible, labels)),
        "bins": {visible(name): bins for name, bins in dataset.bins.items()},
        "split": split.model_copy(update={"column": column, "group": group}),
    }
    return dataset.model_copy(update=changed)


def _fault(raw: object) -> str:
    """What is wrong with what a data set returned; empty if nothing is."""
    if not isinstance(raw, RawImages):
        return f"an object of class {type(raw).__name__}"
    if not isinstance(raw.ids, list) or not all(isinstance(each, str) for each in raw.ids):
        return "ids that are no list of text"
    if fault := _fault_of_labels(raw.labels):
        return fault
    count = len(raw.ids)
    if len(set(raw.ids)) < count:
        return f"ids of which {count - len(set(raw.ids)):,} appear twice"
    counts = {"labels": len(raw.labels.codes), "images": _count(raw.images)}
    for name, column in (("groups", raw.groups), ("copies", raw.copies)):
        if column is not None:
            counts[name] = len(column)
    if raw.official is not None:
        counts["official"] = len(raw.official)
        if strange := sorted({str(each) for each in np.unique(raw.official)} - set(SPLITS)):
            return f"an official split called {strange[0]!r}, where the splits are {', '.join(SPLITS)}"
    if wrong := {name: each for name, each in counts.items() if each != count}:
        name, each = next(iter(wrong.items()))
        return f"{each:,} {name} for {count:,} ids"
    return "" if isinstance(raw.images, EncodedImages) else _fault_of_array(raw.images, raw.levels)


def _fault_of_labels(labels: object) -> str:
    if not isinstance(labels, Labels):
        return f"labels of class {type(labels).__name__}"
    if not isinstance(labels.codes, np.ndarray) or labels.codes.dtype.kind not in "iu" or labels.codes.ndim != 2:
        return f"codes of labels that are {shown(labels.codes)}, where whole numbers, (n, columns), are needed"
    columns = {"names": len(labels.names), "lists of values": len(labels.values)}
    if wrong := [name for name, count in columns.items() if count != labels.codes.shape[1]]:
        return f"{columns[wrong[0]]} {wrong[0]} for {labels.codes.shape[1]} columns of codes"
    for called, words in (("labels", labels.names), *zip(labels.names, labels.values, strict=True)):
        if not all(isinstance(each, str) for each in words) or len(set(words)) < len(words):
            return f"names of {called} that are {shown(words)}, where different texts are needed"
    for name, values, codes in zip(labels.names, labels.values, labels.codes.T, strict=True):
        if len(codes) and not -1 <= codes.min() <= codes.max() < len(values):
            return f"codes of {name} from {codes.min()} to {codes.max()}, where 0 to {len(values) - 1} are needed, or -1 if it is unknown"
    return ""


def _count(images: Images | EncodedImages) -> int:
    return len(images.names) if isinstance(images, EncodedImages) else len(images)


def _fault_of_array(images: Images, levels: int | None) -> str:
    of, shape = images.dtype, images.shape
    if levels is None:
        return (
            ""
            if of == np.float32 and len(shape) == 2
            else f"points of {of}, {shape}, where float32, (n, dimensions), is needed"
        )
    if of != np.uint8 or len(shape) != 4 or shape[1] not in (1, 3):
        return f"images of {of}, {shape}, where uint8, (n, 1 or 3, height, width), is needed"
    if not isinstance(levels, int) or not 2 <= levels <= 256:
        return f"levels {shown(levels)}, where a whole number from 2 to 256 is needed"
    if isinstance(images, np.ndarray) and images.size and images.max() >= levels:
        return f"pixels up to {images.max()}, where {levels} levels are 0 to {levels - 1}"
    return ""


def manifest(dataset: Dataset, raw: RawImages, skipped: dict[str, str]) -> Manifest:
    """What was read, as JSON. It changes if a file changes, and contains no time."""
    notes = [*raw.notes, bad_images.note(skipped, len(raw.ids))] if skipped else raw.notes
    return {
        "id": dataset.id,
        "dataset": dataset.name,
        "source": dataset.source,
        "files": raw.files,
        "images": len(raw.ids),
        "notes": notes,
        "skipped": skipped,
    }
