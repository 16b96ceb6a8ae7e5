"""A user's own images: a folder for each class, or images in any folders with one table of labels next to them.

The first column of the table is the image's name, with or without its folders. The other columns are labels: words for yes and
no, categories, or numbers that `dataset.bins` bins. Folders called train, validation and test above the images may be their split.
"""

from collections import Counter
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np

from vaeline.data import decoding
from vaeline.data.archive import Archive, is_hidden, shown_name
from vaeline.data.bad_images import bad_image
from vaeline.data.columns import MOST_VALUES, alike, shown_counts
from vaeline.data.described import Described, describe
from vaeline.data.image_names import ImageNames, names_an_image
from vaeline.data.labels import of_classes
from vaeline.data.raw_images import EncodedImages, Loader, RawImages
from vaeline.data.splits import SPLIT_WORDS, split_of
from vaeline.data.tables import read_table
from vaeline.study.schema import Dataset
from vaeline.system.errors import UserError

TABLES = (".csv", ".tsv", ".txt")  # the last one only if it names an image
SPREADSHEETS = (".xlsx", ".xls", ".ods", ".parquet", ".feather", ".numbers")
LAYOUTS = (
    "a folder of images for each class, or images with one table (.csv, .tsv or .txt) whose first column names them"
)
SHOWN = 5  # names in a note


def download(folder: Path) -> None:
    """Ask for a folder, because there is nothing to download.

    Raises:
        UserError: always.
    """
    raise UserError(f"image_folder reads images of your own: set dataset.source to a folder that holds {LAYOUTS}.")


def read(dataset: Dataset, folder: Path) -> RawImages:
    """Read names, labels and splits. Images are decoded later, to grey if all of them are grey.

    Raises:
        UserError: `folder` has neither layout, or a file in it is damaged or can be read in two ways.
    """
    archive = Archive(folder)
    images = [name for name in archive.names if name.lower().endswith(decoding.suffixes())]
    if not images:
        raise UserError(f"{folder} holds no image ({', '.join(decoding.suffixes())}); set dataset.source to {LAYOUTS}.")
    tables = _tables(archive, images)
    _check_folders_of_splits(images, dataset, folder)
    read_layout = _by_table if tables else _by_class
    names, described = read_layout(Source(archive, images, tables, dataset))
    channels, notes = _channels(archive, names, dataset)
    return RawImages(
        images=EncodedImages(archive, names, channels),
        labels=described.labels,
        ids=names,
        files={"images": archive.fingerprint(names + tables)},
        official=_split_folders(names, folder) if dataset.split.method == "folders" else described.official,
        groups=described.groups,
        notes=[*described.notes, *notes, *_passed_over(archive, images, tables)],
    )


class Source(NamedTuple):
    """What a folder contains, and what is asked of it."""

    archive: Archive
    images: list[str]
    tables: list[str]
    dataset: Dataset


def _tables(archive: Archive, images: list[str]) -> list[str]:
    """The table of the images; an empty list if there is none.

    Raises:
        UserError: there are several.
    """
    named = ImageNames(images)
    candidates = [name for name in archive.names if name.lower().endswith(TABLES)]
    naming = [name for name in candidates if names_an_image(archive.read(name), named)]
    tables = (
        naming
        if len(naming) == 1
        else [name for name in candidates if name in naming or not name.lower().endswith(".txt")]
    )
    if len(tables) > 1:
        raise UserError(f"{archive.path} holds tables {', '.join(tables)}; set dataset.source to {LAYOUTS}.")
    return tables


def _check_folders_of_splits(images: list[str], dataset: Dataset, folder: Path) -> None:
    """Check that folders of splits are not taken for anything else.

    Raises:
        UserError: they would be.
    """
    if dataset.split.method == "column":
        return
    below: dict[int, set[str]] = {}
    for name in images:
        for depth, step in enumerate(name.split("/")[:-1]):
            below.setdefault(depth, set()).add(step)
    for depth, steps in sorted(below.items()):
        splits = sorted(step for step in steps if split_of(step))
        if len({split_of(step) for step in splits}) > 1 and not (depth == 0 and dataset.split.method == "folders"):
            remedy = "set dataset.split.method to folders to use them"
            if depth:
                parents = {name.split("/")[0] for name in images}
                inner = folder / min(parents) if depth == len(parents) == 1 else folder
                remedy = f"set dataset.source to a folder directly above them{f', {inner},' if inner != folder else ''} and dataset.split.method to folders"
            raise UserError(
                f"{folder} holds folders called {', '.join(splits)}, which seem to be splits; {remedy}, or rename them."
            )


def _split_folders(names: list[str], folder: Path) -> np.ndarray:
    """The split of each image: the folder at the top of its name.

    Raises:
        UserError: that folder is none of a split.
    """
    found = [split_of(name.split("/")[0]) if "/" in name else None for name in names]
    if None in found:
        raise UserError(
            f"dataset.split.method is folders, but {names[found.index(None)]} in {folder} is in no folder of a split; allowed are "
            f"{', '.join(SPLIT_WORDS)}. Move the image, or set dataset.split.method to random."
        )
    return np.array(found)


def _by_class(source: Source) -> tuple[list[str], Described]:
    """The images of folders of classes, which are below the folders of splits if the study uses these."""
    folder, split = source.archive.path, source.dataset.split
    if split.group is not None or split.column is not None or source.dataset.bins:
        raise UserError(
            f"dataset.split.group, dataset.split.column and dataset.bins need a table, but {folder} holds none; give {LAYOUTS}."
        )
    depth = 1 if split.method == "folders" else 0
    if outside := [name for name in source.images if name.count("/") <= depth]:
        raise UserError(
            f"{folder} holds images outside the folders of classes, and no table: {_some(outside)}; give {LAYOUTS}."
        )
    classes, codes = np.unique([name.split("/")[depth] for name in source.images], return_inverse=True)
    values = [str(each) for each in classes]
    _check_classes(values, source)
    notes = [f"class: {len(values):,} folders{shown_counts(values, codes)}"]
    notes += [
        f"{' and '.join(map(repr, group))} differ only in case or blanks, and are different classes."
        for group in alike(values)
    ]
    if empty := _without_images(folder, source.images, depth):
        notes.append(f"No image is in {_some(empty)}.")
    return source.images, Described(np.arange(len(codes)), of_classes("class", values, codes), notes=notes)


def _check_classes(classes: list[str], source: Source) -> None:
    folder = source.archive.path
    if len(classes) > MOST_VALUES:
        raise UserError(
            f"{folder} holds {len(classes):,} folders of images, and a label has at most {MOST_VALUES:,} values; put a table of other labels "
            "next to them. If a folder is one person or one object, name it in a column of the table, and in dataset.split.group."
        )
    sheets = [name for name in source.archive.names if name.lower().endswith(SPREADSHEETS)]
    if len(classes) == 1 and sheets:
        raise UserError(
            f"{folder} holds one folder of images, {classes[0]}, and {_some(sheets)}, which is not read; save it as CSV."
        )


def _without_images(folder: Path, images: list[str], depth: int) -> list[str]:
    """Folders that would be classes but have no image."""
    above = {folder} if depth == 0 else {folder / name.split("/")[0] for name in images}
    with_images = {tuple(name.split("/")[: depth + 1]) for name in images}
    found = [
        path.relative_to(folder)
        for parent in above
        for path in parent.iterdir()
        if path.is_dir() and not is_hidden(path.name)
    ]
    return sorted(shown_name(str(path)) for path in found if tuple(shown_name(str(path)).split("/")) not in with_images)


def _by_table(source: Source) -> tuple[list[str], Described]:
    """The images that have a row in the table."""
    archive, file = source.archive, source.tables[0]
    where = str(archive.path / file)
    table = read_table(archive.read(file), where)
    found = ImageNames(source.images).match(table, where)
    kept = table.keep(row for row, name in enumerate(found) if name is not None)
    names = [name for name in found if name is not None]
    described = describe(replace(kept, ids=names), source.dataset, where)
    notes = [f"{file}: {len(table.ids):,} rows; the columns are read as follows.", *described.notes]
    if len(names) < len(table.ids):
        notes.append(f"{len(table.ids) - len(names):,} of the {len(table.ids):,} images in {file} do not exist.")
    if len(names) < len(source.images):
        notes.append(f"{len(source.images) - len(names):,} images have no row in {file} and are left out.")
    return [names[row] for row in described.rows], replace(described, notes=notes)


def _channels(archive: Archive, names: list[str], dataset: Dataset) -> tuple[int, list[str]]:
    """1 if every image is grey, otherwise 3; and a note on images with several frames."""
    grey, several = True, []
    for name in names:
        try:
            header = decoding.header(archive.read(name))
        except ValueError as error:
            if dataset.on_bad_image == "stop":
                raise bad_image(archive, name, error) from error
            continue
        grey &= header.grey
        several += [name] if header.frames else []
    notes = [f"Only the first frame or page is used of {_some(several)}."] if several else []
    return (1 if grey else 3), notes


def _passed_over(archive: Archive, images: list[str], tables: list[str]) -> list[str]:
    """Notes on the files that are not used, counted by suffix, and on links that lead nowhere."""
    broken = [f"Links that lead to no file: {_some(archive.broken)}."] if archive.broken else []
    used = {*images, *tables}
    suffixes = Counter(
        PurePosixPath(name).suffix.lower() or "without a suffix" for name in archive.names if name not in used
    )
    counted = ", ".join(f"{count:,} {suffix}" for suffix, count in sorted(suffixes.items()))
    return ([f"Files that are not used: {counted}."] if suffixes else []) + broken


def _some(names: list[str]) -> str:
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else "")


LOADER = Loader(read=read, download=download)
