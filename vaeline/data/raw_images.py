"""Data sets before preprocessing: what the file of a data set offers, and how its images are fetched and read.

A data set is a file of `vaeline/data/sets/`, and its name in a study is the name of the file. The file offers one object:

    LOADER = Loader(read=read, download=download)

`read(dataset, folder)` checks the files in `folder` and returns RawImages. Encoded images stay where they are until
preprocessing decodes them. `download(folder)` brings the files that `folder` lacks; a data set that is embedded in a
package, or computed, has no download. Both raise a UserError that names the file and says what to do.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypedDict

import numpy as np

from vaeline.data.archive import Archive
from vaeline.data.labels import Labels
from vaeline.data.paths import downloads
from vaeline.study import parts
from vaeline.study.schema import Dataset
from vaeline.system.errors import UserError
from vaeline.system.locks import locked
from vaeline.system.project import main_worktree


@dataclass(frozen=True)
class EncodedImages:
    """Image files (JPEG, PNG...) that are decoded later."""

    archive: Archive
    names: list[str]  # in the archive, (n,)
    channels: int  # 1 or 3, to decode to


@dataclass(frozen=True)
class RawImages:
    """The images and labels of a data set before preprocessing."""

    images: np.ndarray | EncodedImages  # uint8, (n, channel, height, width); points: float32, (n, dimensions)
    labels: Labels
    ids: list[str]  # (n,), all different
    files: dict[
        str, dict[str, int | str]
    ]  # the files that were read: name -> bytes, sha256 (see `checksums.fingerprint`)
    levels: int | None = 256  # of a pixel; None for points
    official: np.ndarray | None = None  # the official split of each image (train, validation or test), as text, (n,)
    notes: list[str] = field(default_factory=list)  # sentences for the user, such as how many images are missing


class Manifest(TypedDict):
    """What the download step found, as JSON."""

    dataset: str
    source: str
    files: dict[str, dict[str, int | str]]
    images: int
    notes: list[str]


@dataclass(frozen=True)
class Loader:
    """How a data set is read and downloaded."""

    read: Callable[[Dataset, Path], RawImages]
    download: Callable[[Path], None] | None = None  # None: the data set needs no files


def loader(name: str) -> Loader:
    """The loader that the file of a data set offers.

    Raises:
        UserError: the file offers none, or one of another type.
    """
    found = vars(parts.module("sets", name)).get("LOADER")
    if isinstance(found, Loader) and callable(found.read) and (found.download is None or callable(found.download)):
        return found
    came = "no LOADER" if found is None else f"the LOADER {found!r}"
    raise UserError(
        f"{parts.shown_folder('sets')}/{name}.py offers {came}; end the file with `LOADER = Loader(read=read, download=download)`, "
        "both functions, and leave download out if the data set needs no files."
    )


def folder(dataset: Dataset) -> Path:
    """The folder of a data set's files: its source, or the folder of downloads that all studies share."""
    below = downloads(dataset.name) if dataset.source == "download" else Path(dataset.source).expanduser()
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
            download(folder(dataset))
    return manifest(dataset, read(dataset))


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
    raw = offered.read(dataset, where)
    return replace(raw, labels=raw.labels.choose(dataset.labels))


def manifest(dataset: Dataset, raw: RawImages) -> Manifest:
    """What was read, as JSON. It changes if a file changes, and contains no time."""
    return {
        "dataset": dataset.name,
        "source": dataset.source,
        "files": raw.files,
        "images": len(raw.ids),
        "notes": raw.notes,
    }
