"""A user's own images: a folder for each class, images in any folders with one table of labels next to them, or images alone.

The first column of the table is the image's name, with or without its folders. The other columns are labels: words for yes and
no, categories, or numbers that `dataset.bins` bins. Folders called train, validation and test above the images may be their split.
"""

import re
from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np

from vaeline.data import copies, decoding, split_folders
from vaeline.data.archive import Archive, Files
from vaeline.data.bad_images import bad_image
from vaeline.data.class_folders import read_classes
from vaeline.data.described import Described, describe
from vaeline.data.image_names import ImageNames, names_an_image
from vaeline.data.labels import NONE, unlabelled
from vaeline.data.raw_images import EncodedImages, HeaderSummary, Loader, RawImages
from vaeline.data.splits import split_of
from vaeline.data.tables import Table, read_table
from vaeline.study.schema import Dataset
from vaeline.system.errors import UserError, some_of

NAMING = re.compile(
    r"(image|img|photo|picture)?[ _-]?(files?|images?|imgs?|names?|paths?|ids?)?[ _-]?(names?|paths?|ids?)?",
    re.IGNORECASE,
)
TABLES = (".csv", ".tsv", ".txt")  # the last one only if it names an image
SPREADSHEETS = (".xlsx", ".xls", ".ods", ".numbers", ".parquet", ".feather", ".jsonl")
LAYOUTS = "a folder of images for each class, images with one table (.csv, .tsv or .txt) whose first column names them, or images alone"


def download(dataset: Dataset, folder: Path) -> None:
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
    images = _images(archive)
    tables = _tables(archive, images)
    split_folders.check_used(images, dataset, folder, table=bool(tables))
    read_layout = _by_table if tables else _by_class
    names, described = read_layout(Source(archive, images, tables, dataset))
    archive.check_one_name_each(names)
    headers, notes = headers_of(archive, names, dataset)
    files = {"images": archive.fingerprint(names + tables)}
    if dataset.split.method == "folders":
        described = replace(described, official=split_folders.splits_of(names, folder))
    same = _checked_copies(archive, names, headers, described)
    return RawImages(
        images=EncodedImages(archive, names, HeaderSummary.of(headers.values()).channels, headers),
        labels=described.labels,
        ids=names,
        files=files,
        official=described.official,
        groups=described.groups,
        copies=same,
        notes=[
            *described.notes,
            *notes,
            *copies.note(names, same),
            *_alike(names),
            *_passed_over(archive, images, tables),
        ],
    )


def _images(archive: Archive) -> list[str]:
    """The names of the images.

    Raises:
        UserError: there are none.
    """
    images = [name for name in archive.names if name.lower().endswith(decoding.suffixes())]
    if not images:
        held = f"files of other kinds ({_counted(archive.names)})" if archive.names else "no files"
        raise UserError(
            f"{archive.path} holds no image such as .jpg, .png or .tif, but {held}. Unpack archives and convert other images, or set "
            f"dataset.source to {LAYOUTS}."
        )
    return images


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
    candidates = [name for name in archive.names if name.lower().endswith(TABLES)]
    if not candidates:
        return []
    named = ImageNames(images)
    naming = [
        name for name in candidates if names_an_image(archive.read(name), named, bare=not name.lower().endswith(".txt"))
    ]
    tables = (
        naming
        if len(naming) == 1
        else [name for name in candidates if name in naming or not name.lower().endswith(".txt")]
    )
    if len(tables) > 1:
        raise UserError(
            f"{archive.path} holds tables {some_of(tables)}, where one is read; join them into one (if they are of splits, with a column that "
            "says which), or remove the others."
        )
    return tables


def _by_class(source: Source) -> tuple[list[str], Described]:
    """The images of folders of classes, which are below the folders of splits if the study uses these."""
    archive, dataset = source.archive, source.dataset
    _check_no_table_needed(archive, dataset)
    if dataset.labels == NONE:
        notes = ["The images are used without labels (dataset.labels: none)."]
        return source.images, Described(np.arange(len(source.images)), unlabelled(len(source.images)), notes=notes)
    _check_no_sheet(archive, source.images)
    labels, notes = read_classes(archive, source.images, depth=1 if dataset.split.method == "folders" else 0)
    if dataset.split.method == "folders" and labels.names:
        classes = np.array(labels.values[0])[labels.codes[:, 0]]
        split_folders.check_classes_shared(classes, split_folders.splits_of(source.images, archive.path), archive.path)
    return source.images, Described(np.arange(len(source.images)), labels, notes=notes)


def _check_no_table_needed(archive: Archive, dataset: Dataset) -> None:
    """Check that no key is set that only a table can serve.

    Raises:
        UserError: one is.
    """
    split = dataset.split
    asked = [
        ("dataset.split.group", split.group, "null"),
        ("dataset.split.column", split.column, "null and method to random"),
    ]
    keys = [(key, unset) for key, value, unset in [*asked, ("dataset.bins", dataset.bins, "{}")] if value]
    if not keys:
        return
    need, them = ("needs", "it") if len(keys) == 1 else ("need", "them")
    sheets = [name for name in archive.names if name.lower().endswith(SPREADSHEETS)]
    above = sorted(path.name for path in archive.path.parent.iterdir() if path.name.lower().endswith(TABLES[:2]))
    there = f". {some_of(sheets)} is not read; save it as CSV" if sheets else ""
    if above and not sheets:
        there = f". {some_of(above)} lies one folder above; move it into the folder"
    raise UserError(
        f"{' and '.join(key for key, _ in keys)} {need} a table, but {archive.path} holds none; give {LAYOUTS}, or set {them} to "
        f"{' and '.join(unset for _, unset in keys)}{there}."
    )


def _check_no_sheet(archive: Archive, images: list[str]) -> None:
    """Check that no spreadsheet lies beside images that have no folders of classes."""
    sheets = [name for name in archive.names if name.lower().endswith(SPREADSHEETS)]
    folders = {name.rpartition("/")[0] for name in images}
    if sheets and len(folders) == 1:
        raise UserError(
            f"{archive.path} holds one folder of images{''.join(f', {folder},' for folder in folders if folder)} and {some_of(sheets)}, which is "
            "not read; save it as CSV."
        )


def _by_table(source: Source) -> tuple[list[str], Described]:
    """The images that have a row in the table."""
    archive, file = source.archive, source.tables[0]
    where = str(archive.path / file)
    table = read_table(archive.read(file), where)
    named = ImageNames(source.images, file.rpartition("/")[0])
    matched = named.match(table, where)
    _check_row_numbers(table, matched.images, named, where)
    found = matched.images
    kept = table.keep(row for row, name in enumerate(found) if name is not None)
    names = [name for name in found if name is not None]
    described = describe(replace(kept, ids=names), source.dataset, where)
    for column in _columns_of_splits(kept, source.dataset):
        split_folders.check_agrees(names, column, kept.column(column), where)
    notes = [f"{file}: {len(table.ids):,} rows; the columns are read as follows.", *described.notes, *matched.notes]
    notes += _unmatched(table, found, source.images, file)
    if source.dataset.split.method != "folders":
        notes += _unused_folders(names, kept)
    return [names[row] for row in described.rows], replace(described, notes=notes)


def _unmatched(table: Table, found: list[str | None], images: list[str], file: str) -> list[str]:
    """Sentences on rows without an image, and on images without a row."""
    notes, rows = [], zip(table.ids, table.lines, found, strict=True)
    if absent := [f"{name} (line {line})" for name, line, image in rows if image is None]:
        do = "does" if len(absent) == 1 else "do"
        notes.append(f"{len(absent):,} of the {len(table.ids):,} images in {file} {do} not exist: {some_of(absent)}.")
    if left := sorted(set(images) - set(found)):
        have, are = ("image has", "is") if len(left) == 1 else ("images have", "are")
        notes.append(f"{len(left):,} {have} no row in {file} and {are} left out: {some_of(left)}.")
    return notes


def _unused_folders(names: list[str], table: Table) -> list[str]:
    """A sentence on folders that may be classes beside a table without a column of them."""
    folders = [name.rpartition("/")[0] for name in names]
    last = [folder.rpartition("/")[2] for folder in folders]
    if len({*folders} - {""}) < 2 or any(table.column(name) in (folders, last) for name in table.names):
        return []
    shown = some_of(sorted({*folders} - {""}))
    return [f"The folders {shown} are not used, because there is a table; add a column for them if they are classes."]


def _check_row_numbers(table: Table, found: list[str | None], images: ImageNames, where: str) -> None:
    """Check that numbers of rows, which were left out, do not name other images than the second column.

    Raises:
        UserError: they may, and the header of the second column does not say that it names files.
    """
    meant = [images.of_stem(number) for number in table.numbers]
    if not meant or not all(meant) or NAMING.fullmatch(table.first):
        return
    for number, image, names, line in zip(table.numbers, found, meant, table.lines, strict=True):
        if image is not None and image not in names:
            raise UserError(
                f"{where} can be read in two ways: in line {line}, {number!r} in the first column may mean {names[0]}, and {table.first!r} names "
                f"{image}. Write the first column as names of files if it names the images, or remove it, or call the other one `file`."
            )


def _columns_of_splits(table: Table, dataset: Dataset) -> list[str]:
    """The columns of a table that may contradict folders of splits."""
    if dataset.split.method == "column":
        return [dataset.split.column] if dataset.split.column else []
    return [name for name in table.names if all(split_of(cell) for cell in set(table.column(name)))]


def headers_of(archive: Files, names: list[str], dataset: Dataset) -> tuple[dict[str, decoding.Header], list[str]]:
    """The headers of the images, without those of damaged ones if these are skipped; and notes on images of several frames."""
    headers = {}
    for name in names:
        try:
            headers[name] = decoding.header(archive.read(name))
        except ValueError as error:
            if dataset.on_bad_image == "stop":
                raise bad_image(archive, name, error) from error
    several = [name for name, header in headers.items() if header.frames]
    return headers, [f"Only the first frame or page is used of {some_of(several)}."] if several else []


def _checked_copies(archive: Archive, names: list[str], headers: Collection[str], described: Described) -> np.ndarray:
    """Equal numbers for images with the same bytes. Damaged files, as empty ones, have no header and are no copies of each other.

    Raises:
        UserError: copies have different labels, splits or groups.
    """
    first = archive.first_copies(names)
    same = np.array([first[row] if name in headers else row for row, name in enumerate(names)])
    annotations = copies.annotations_of(described.labels, described.official, described.groups)
    copies.check_agree(names, same, annotations, str(archive.path))
    return same


def _alike(names: list[str]) -> list[str]:
    """A note on images whose names differ in nothing but the suffix, as a photo and its mask, or a photo in two formats."""
    first: dict[str, str] = {}
    pairs = [(other, name) for name in names if (other := first.setdefault(name.rpartition(".")[0], name)) != name]
    if not pairs:
        return []
    one, other = pairs[0]
    return [
        f"Images whose name differs from another's in the suffix only: {len(pairs):,}, such as {other} beside {one}. All of them are used."
    ]


def _passed_over(archive: Archive, images: list[str], tables: list[str]) -> list[str]:
    """Notes on the files that are not used, counted by suffix, on spreadsheets, and on links that lead nowhere."""
    sheets = [name for name in archive.names if name.lower().endswith(SPREADSHEETS)]
    unread = [f"{some_of(sheets)}: not read; to use a table, save it as CSV."] if sheets else []
    broken = [f"Links that lead to no file: {some_of(archive.broken)}."] if archive.broken else []
    used = {*images, *tables}
    counted = _counted([name for name in archive.names if name not in used])
    return ([f"Files that are not used: {counted}."] if counted else []) + unread + broken


def _counted(names: list[str]) -> str:
    """The number of files with each suffix, for a sentence."""
    suffixes = Counter(PurePosixPath(name).suffix.lower() or "without a suffix" for name in names)
    return ", ".join(f"{count:,} {suffix}" for suffix, count in sorted(suffixes.items()))


LOADER = Loader(read=read, download=download)
