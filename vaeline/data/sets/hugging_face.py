"""Images of a data set in the format of Hugging Face's library `datasets`: of the hub, of the library's own cache, or of a folder.

The download step lets the library load the set, and saves it below `data/raw/hugging_face` as `save_to_disk` does, in files of Arrow. A
folder that somebody else has saved so is read in the same way. Columns become labels as those of a table do; a class label is a
category, and a list of class labels is a yes or no for each class. The library runs no code of a set and unpickles nothing.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from pydantic import Field

from vaeline.data import copies
from vaeline.data.described import describe
from vaeline.data.numbers import NUMBER
from vaeline.data.paths import DOWNLOAD
from vaeline.data.raw_images import EncodedImages, HeaderSummary, Loader, RawImages
from vaeline.data.sets.image_folder import headers_of
from vaeline.data.splits import SPLIT_WORDS, split_of
from vaeline.data.tables import Table
from vaeline.study.parts import PartOptions
from vaeline.study.schema import Dataset
from vaeline.system.errors import UserError, instead_of, of_system, reason, some_of
from vaeline.system.files import disk_full, is_disk_full
from vaeline.system.reachable import unreachable

# How the types of columns begin whose cells are words or numbers.
KINDS = ("bool", "string", "large_string", "int", "uint", "float")
HUB = "https://huggingface.co"
INSTALL = "run `pip install 'vaeline[datasets]'`, or `make setup` in a clone"


class Options(PartOptions):
    repository: str | None = Field(
        None,
        description="name on the hub, as in ylecun/mnist; null if `source` is a folder that save_to_disk has written",
    )
    config: str | None = Field(None, description="configuration of the set on the hub; null for the only one")
    revision: str = Field("main", description="branch, tag or commit on the hub")
    image: str | None = Field(None, description="column of the images; null for the only one")
    splits: list[str] | None = Field(None, description="the set's splits that are used; null for all")


@dataclass(frozen=True)
class Rows:
    """The image files in the rows of a set, which are read like those of an archive.

    Args:
        path: of the set.
        places: row of each image by its name.
        encoded: an Arrow array of their bytes, in the files of the set.
    """

    path: Path
    places: dict[str, int]
    encoded: Any

    def read(self, name: str) -> bytes:
        """The bytes of an image."""
        content: bytes = self.encoded[self.places[name]].as_py()
        return content


def download(dataset: Dataset, folder: Path) -> None:
    """Let the library load the set from the hub or from its cache, and save it, unless it is there.

    Raises:
        UserError: the study names no set, or the library cannot load it, or the set asks for files that are not its own.
    """
    root, options = _root(dataset, folder), dataset.options
    if root.is_dir():
        return
    if unreachable(os.environ.get("HF_ENDPOINT", HUB)):
        os.environ["HF_HUB_OFFLINE"] = (
            "1"  # the library looks into its cache at once; it reads this when it is imported
        )
    library, aside = _library(), root.with_name(f".{root.name}.part")
    shutil.rmtree(aside, ignore_errors=True)
    try:
        loaded = library.load_dataset(options["repository"], options["config"], revision=options["revision"])
        _refuse_files_of_others(loaded, options["repository"])
        loaded.save_to_disk(aside)
    except UserError:
        raise
    except Exception as error:  # of the library, and of all that it calls
        if is_disk_full(error):
            raise disk_full(root) from error
        raise UserError(
            f"{options['repository']} could not be loaded from the Hugging Face hub or its cache ({reason(error)}); check dataset.options and the "
            "network, or set dataset.source to a folder that save_to_disk of `datasets` has written."
        ) from error
    aside.rename(root)


def _refuse_files_of_others(loaded: Any, repository: str) -> None:
    """Refuse a set that names files which it did not bring: saving it would copy them, from this machine or from any address.

    Raises:
        UserError: it does.
    """
    from huggingface_hub import constants  # which `datasets` needs

    own = [Path(place).resolve() for place in (_library().config.HF_DATASETS_CACHE, constants.HF_HUB_CACHE)]
    for rows in loaded.values() if isinstance(loaded, Mapping) else [loaded]:
        for column in rows.with_format("arrow")[:].columns:
            for name in _named_files(column):
                if not name.startswith(f"hf://datasets/{repository}@") and not any(
                    Path(name).resolve().is_relative_to(place) for place in own
                ):
                    raise UserError(f"{repository} asks for the file {name!r}, which is not its own; take another set.")


def _named_files(column: Any) -> Iterator[str]:
    """The files that a column names in place of holding their bytes; it may hold them in lists and in parts of a value."""
    from pyarrow import compute, types

    kind = column.type
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        yield from _named_files(compute.list_flatten(column))
    elif types.is_struct(kind):
        parts = {field.name: compute.struct_field(column, field.name) for field in kind}
        if {*parts} == {"bytes", "path"}:
            yield from filter(None, compute.filter(parts["path"], compute.is_null(parts["bytes"])).to_pylist())
        else:
            for part in parts.values():
                yield from _named_files(part)


def read(dataset: Dataset, folder: Path) -> RawImages:
    """Read the labels and the headers of the images.

    Raises:
        UserError: the library is not installed, the folder is no data set or damaged, or a key of the study does not fit it.
    """
    root = _root(dataset, folder)
    splits = _chosen(_splits(root), dataset, root)
    image = _image_column(next(iter(splits.values())).features, dataset.options["image"], root)
    table, unread = _table(splits, image)
    described = describe(table, _with_numbers_of_classes(dataset, splits), str(root))
    archive = Rows(root, {name: row for row, name in enumerate(table.ids)}, _encoded(splits, image, root))
    names = [table.ids[row] for row in described.rows]
    headers, frames = headers_of(archive, names, dataset)
    same, sums = _compared(archive, names)
    return RawImages(
        images=EncodedImages(archive, names, HeaderSummary.of(headers.values()).channels, headers),
        labels=described.labels,
        ids=names,
        files={"images": sums, "columns": _fingerprint(table)},
        official=_official(splits, root)[described.rows] if dataset.split.method == "official" else described.official,
        groups=described.groups,
        copies=same,
        notes=[*unread, *described.notes, *frames, *copies.note(names, same)],
    )


def _library() -> ModuleType:
    try:
        import datasets
    except ModuleNotFoundError as error:
        raise UserError(
            f"dataset.name hugging_face needs the library {error.name}, which is not installed; {INSTALL}."
        ) from error
    datasets.disable_progress_bars()
    return datasets


def _root(dataset: Dataset, folder: Path) -> Path:
    """The folder of the set: the source of the study, or the one that the download step writes.

    Raises:
        UserError: the study names neither a folder nor a set of the hub, or both.
    """
    repository, config, revision = (dataset.options[key] for key in ("repository", "config", "revision"))
    if (repository is None) == (dataset.source == DOWNLOAD):
        raise UserError(
            f"dataset.source is {dataset.source!r} and dataset.options.repository {repository!r}; name a set of the hub and set source to `download`, or "
            "set source to a folder that save_to_disk has written, and repository to null."
        )
    below = "--".join(filter(None, [str(repository), config, revision])).replace("/", "--")
    return folder / below if dataset.source == DOWNLOAD else folder


def _splits(root: Path) -> dict[str, Any]:
    """The splits of a saved set by name; under an empty name if it has none.

    Raises:
        UserError: the folder is no set, or is damaged.
    """
    library = _library()
    try:
        loaded = library.load_from_disk(str(root))
    except Exception as error:  # of the library, and of Arrow
        if of_system(error) and not isinstance(error, FileNotFoundError):
            raise
        raise UserError(
            f"{root} is no data set that save_to_disk of `datasets` has written, or is damaged ({reason(error)}); save it again, or give another "
            "dataset.source."
        ) from error
    return dict(loaded) if isinstance(loaded, Mapping) else {"": loaded}


def _chosen(splits: dict[str, Any], dataset: Dataset, root: Path) -> dict[str, Any]:
    """The splits that the study uses, in the order of the set.

    Raises:
        UserError: it has no such split, or two have other columns.
    """
    wanted = dataset.options["splits"]
    if unknown := next((name for name in wanted or [] if name not in splits), None):
        choice = instead_of(unknown, [*splits]) if any(splits) else "it has none; set it to null"
        raise UserError(f"dataset.options.splits names {unknown!r}, which is no split of {root}; {choice}.")
    chosen = {name: rows for name, rows in splits.items() if (not wanted or name in wanted) and len(rows)}
    if not chosen:
        raise UserError(f"{root} has no images; give another dataset.source.")
    first, *others = chosen
    if other := next((name for name in others if chosen[name].features != chosen[first].features), None):
        raise UserError(
            f"The splits {first} and {other} of {root} have different columns; name those of equal columns in dataset.options.splits."
        )
    if dataset.split.method == "folders":
        raise UserError(
            "dataset.split.method is 'folders', and a set of Hugging Face has none; use official, random or column."
        )
    return chosen


def _official(splits: dict[str, Any], root: Path) -> np.ndarray:
    """The split of each image, as text.

    Raises:
        UserError: a split has another name than those of splits.
    """
    if other := next((name for name in splits if split_of(name) is None), None) or not any(splits):
        came = f"a split {other!r}" if isinstance(other, str) else "no splits"
        raise UserError(
            f"dataset.split.method is 'official', but {root} has {came}; official splits are called {', '.join(SPLIT_WORDS)}: name those that are in "
            "dataset.options.splits, or use random."
        )
    return np.array([split_of(name) for name, rows in splits.items() for _ in range(len(rows))])


def _image_column(features: Mapping[str, Any], wanted: str | None, root: Path) -> str:
    """The column of the images.

    Raises:
        UserError: the set has no such column, or several, and the options name none.
    """
    found = [name for name, kind in features.items() if isinstance(kind, _library().Image)]
    shown = ", ".join(f"{name} ({type(kind).__name__})" for name, kind in features.items())
    if not found:
        raise UserError(
            f"{root} has no column of images, but {shown}; cast one to the feature Image by `cast_column`, and save the set again."
        )
    if wanted is None and len(found) > 1:
        raise UserError(f"{root} has several columns of images: {', '.join(found)}; name one in dataset.options.image.")
    if wanted is not None and wanted not in found:
        raise UserError(
            f"dataset.options.image is {wanted!r}, which is no column of images of {root}; {instead_of(wanted, found)}."
        )
    return wanted or found[0]


def _table(splits: dict[str, Any], image: str) -> tuple[Table, list[str]]:
    """The columns beside the images as words, and a note on those that are none."""
    library, columns, unread = _library(), {}, []
    for name, kind in next(iter(splits.values())).features.items():
        values = (
            [value for rows in splits.values() for value in rows.with_format("arrow")[:][name].to_pylist()]
            if name != image
            else []
        )
        if isinstance(kind, library.ClassLabel):
            columns[name] = [_class_of(value, kind.names) for value in values]
        elif isinstance(inner := getattr(kind, "feature", None), library.ClassLabel):
            columns |= {
                f"{name} {each}": [_has(value, code) for value in values] for code, each in enumerate(inner.names)
            }
        elif isinstance(kind, library.Value) and kind.dtype.startswith(KINDS):
            columns[name] = ["" if value is None else str(value).strip() for value in values]
        elif name != image:
            unread.append(name)
    ids = [f"{split}-{row}" if split else str(row) for split, rows in splits.items() for row in range(len(rows))]
    cells = [list(row) for row in zip(*columns.values(), strict=True)] if columns else [[] for _ in ids]
    notes = (
        [f"Columns that are neither words, numbers nor class labels, and are not used: {some_of(unread)}."]
        if unread
        else []
    )
    return Table(ids, list(columns), cells, list(range(1, len(ids) + 1))), notes


def _class_of(code: int | None, names: list[str]) -> str:
    """The name of a class; empty if the image has none, which sets write as -1."""
    return "" if code is None or not 0 <= code < len(names) else names[code]


def _has(codes: list[int] | None, code: int) -> str:
    return "" if codes is None else ("yes" if code in codes else "no")


def _with_numbers_of_classes(dataset: Dataset, splits: dict[str, Any]) -> Dataset:
    """The settings by which classes that are called by numbers are classes, however many there are."""
    features, library = next(iter(splits.values())).features, _library()
    numbered = [
        name
        for name, kind in features.items()
        if isinstance(kind, library.ClassLabel) and all(map(NUMBER.fullmatch, kind.names)) and name not in dataset.bins
    ]
    return dataset.model_copy(update={"bins": {**dataset.bins, **dict.fromkeys(numbered, "each")}})


def _encoded(splits: dict[str, Any], image: str, root: Path) -> Any:
    """The bytes of the images, as an Arrow array in the files of the set.

    Raises:
        UserError: an image is only a path. A set of others must not choose which files of this machine are read.
    """
    import pyarrow
    from pyarrow import compute

    columns = [compute.struct_field(rows.with_format("arrow")[:][image], "bytes") for rows in splits.values()]
    encoded = pyarrow.chunked_array([chunk for column in columns for chunk in column.chunks])
    if encoded.null_count:
        raise UserError(
            f"{encoded.null_count:,} of {len(encoded):,} images are not in the files of {root}; save the set again by save_to_disk, which takes images that "
            "lie elsewhere into them, or leave out the rows without an image."
        )
    return encoded


def _compared(archive: Rows, names: list[str]) -> tuple[np.ndarray, dict[str, int | str]]:
    """Equal numbers for images with the same bytes, and the fingerprint of all: of images, because the files of a set differ between
    versions of the library."""
    first: dict[bytes, int] = {}
    same, size, whole = [], 0, hashlib.sha256()
    for row, name in enumerate(names):
        content = archive.read(name)
        digest = hashlib.sha256(content).digest()
        same.append(first.setdefault(digest, row))
        whole.update(f"{digest.hex()}  {name}\n".encode())
        size += len(content)
    return np.array(same), {"bytes": size, "count": len(names), "sha256": whole.hexdigest()}


def _fingerprint(table: Table) -> dict[str, int | str]:
    """The fingerprint of all columns beside the images."""
    rows = [table.names, *([name, *cells] for name, cells in zip(table.ids, table.rows, strict=True))]
    content = json.dumps(rows).encode()
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


LOADER = Loader(read=read, download=download)
