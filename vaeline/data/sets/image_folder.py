"""A user's own images: a folder for each class, or images in any folders with one CSV of attributes next to them.

The first column of the CSV is the image's name, with or without its folders. The other columns are labels: 0 and 1, or
-1 and 1, for attributes; any words for categories.
"""

import io
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image, UnidentifiedImageError

from vaeline.data.archive import Archive
from vaeline.data.labels import Labels, Table, of_classes, read_table
from vaeline.data.raw_images import EncodedImages, Loader, RawImages
from vaeline.study.schema import Dataset
from vaeline.system.errors import UserError

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm")
LAYOUTS = "a folder of images for each class, or images with one CSV whose first column names them"


def download(folder: Path) -> None:
    """Ask for a folder, because there is nothing to download.

    Raises:
        UserError: always.
    """
    raise UserError(f"image_folder reads images of your own: set dataset.source to a folder that holds {LAYOUTS}.")


def read(dataset: Dataset, folder: Path) -> RawImages:
    """Read names and labels. Images are decoded later, to grey if all of them are grey.

    Raises:
        UserError: `folder` has neither layout, or a file in it is damaged.
    """
    archive = Archive(folder)
    images = [name for name in archive.names if name.lower().endswith(SUFFIXES)]
    tables = [name for name in archive.names if name.lower().endswith(".csv")]
    if not images or len(tables) > 1:
        holds = f"tables {', '.join(tables)}" if images else f"no image ({', '.join(SUFFIXES)})"
        raise UserError(f"{folder} holds {holds}; set dataset.source to {LAYOUTS}.")
    names, labels, notes = _by_table(archive, images, tables[0]) if tables else _by_class(folder, images)
    return RawImages(
        images=EncodedImages(archive, names, _channels(archive, names)),
        labels=labels,
        ids=names,
        files={"images": archive.fingerprint(names + tables)},
        notes=notes,
    )


def _by_class(folder: Path, images: list[str]) -> tuple[list[str], Labels, list[str]]:
    if any("/" not in name for name in images):
        raise UserError(f"{folder} holds images outside the folders of classes, and no CSV; give {LAYOUTS}.")
    classes, codes = np.unique([name.split("/")[0] for name in images], return_inverse=True)
    return images, of_classes("class", [str(each) for each in classes], codes), []


def _by_table(archive: Archive, images: list[str], file: str) -> tuple[list[str], Labels, list[str]]:
    where = archive.path / file
    try:
        table = read_table(archive.read(file).decode("utf-8-sig"), str(where))
    except UnicodeDecodeError as error:
        raise UserError(f"{where} is not UTF-8 text ({error}); save it as CSV in UTF-8.") from error
    found = _by_name(images, table.ids, str(where))
    present = [row for row, name in enumerate(table.ids) if name in found]
    if not present:
        raise UserError(
            f"{where} names no image that exists: its first name is {table.ids[0]!r}, and the first image is {images[0]!r}."
        )
    names = [found[table.ids[row]] for row in present]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise UserError(f"{where} has two rows for {twice}; leave one.")
    kept = Table(names, table.names, [table.rows[row] for row in present])
    return names, kept.labels(), _notes(file, table, names, images)


def _by_name(images: list[str], rows: list[str], where: str) -> dict[str, str]:
    """Images by their names with folders, and also without folders for rows that leave them out."""
    found: dict[str, str] = {}
    wanted = set(rows) - set(images)
    for name in images:
        bare = PurePosixPath(name).name
        if bare in wanted and found.setdefault(bare, name) != name:
            raise UserError(
                f"{where} has a row for {bare}, which is either {found[bare]} or {name}; write its folders too."
            )
    return found | {name: name for name in images}


def _notes(file: str, table: Table, names: list[str], images: list[str]) -> list[str]:
    notes = []
    if len(names) < len(table.ids):
        notes.append(f"{len(table.ids) - len(names):,} of the {len(table.ids):,} images in {file} do not exist.")
    if len(names) < len(images):
        notes.append(f"{len(images) - len(names):,} images have no row in {file} and are left out.")
    return notes


def _channels(archive: Archive, names: list[str]) -> int:
    """1 if every image is grey, otherwise 3."""
    return 1 if all(_is_grey(archive, name) for name in names) else 3


def _is_grey(archive: Archive, name: str) -> bool:
    try:
        with Image.open(io.BytesIO(archive.read(name))) as image:
            return image.mode in ("1", "L", "LA")
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
        raise UserError(f"{archive.path / name} cannot be decoded; get it again, or remove it.") from error


LOADER = Loader(read=read, download=download)
