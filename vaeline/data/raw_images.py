"""Data sets, a file each; the name in a study is the name of the file.

A data set's file has

- `read(dataset, folder) -> RawImages`: check the files in `folder` and say what they hold; images stay encoded where
  they lie until preprocessing wants them;
- `download(folder)`: bring the files that are missing from `folder`; left out where the data set is embedded.

Both raise a UserError that names the file and says what to do.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

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
    """A data set before preprocessing."""

    images: np.ndarray | EncodedImages  # uint8, (n, channel, height, width); points: float32, (n, dimensions)
    labels: Labels
    ids: list[str]  # (n,)
    files: dict[str, dict[str, int | str]]  # what was read: name: bytes, sha256
    levels: int | None = 256  # None for points
    official: np.ndarray | None = None  # the official split of each image, as text, (n,)
    notes: list[str] = field(default_factory=list)  # what the user should know: images that are lacking


def folder(dataset: Dataset) -> Path:
    """Where a data set's files lie: the folder of its source, or that of downloads, which all studies share."""
    below = downloads(dataset.name) if dataset.source == "download" else Path(dataset.source).expanduser()
    return main_worktree() / below


def fetch(dataset: Dataset) -> dict[str, Any]:
    """Download what is missing, or check a local copy in place.

    Returns:
        The manifest: where from, each file's bytes and SHA-256, the number of images.

    Raises:
        UserError: the files cannot be had, are damaged, or are no such data set.
    """
    download = getattr(parts.module("sets", dataset.name), "download", None)
    if dataset.source == "download" and download:
        with locked(folder(dataset), "downloading"):
            download(folder(dataset))
    return manifest(dataset, read(dataset))


def read(dataset: Dataset) -> RawImages:
    """Read what a data set holds; of the label columns those that `dataset.labels` chooses.

    Raises:
        UserError: the files are missing or damaged, or `dataset.labels` asks for what is not there.
    """
    where, part = folder(dataset), parts.module("sets", dataset.name)
    if not where.is_dir() and (dataset.source != "download" or hasattr(part, "download")):
        raise UserError(
            f"dataset.source is {dataset.source!r}, but there is no folder {where}; give another source, or run "
            "`python -m pipeline_steps.download` where it is `download`."
        )
    raw: RawImages = part.read(dataset, where)
    return replace(raw, labels=raw.labels.choose(dataset.labels))


def manifest(dataset: Dataset, raw: RawImages) -> dict[str, Any]:
    """What was found, as JSON: it changes when a file does, and holds no time."""
    return {
        "dataset": dataset.name,
        "source": dataset.source,
        "files": raw.files,
        "images": len(raw.ids),
        "notes": raw.notes,
    }
