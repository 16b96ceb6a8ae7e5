"""CelebA: 202,599 aligned faces of 178x218 with 40 attributes (Liu et al., 2015).

The files are downloaded from the authors' Google Drive, or read in place from a folder in the official layout
(`list_*.txt`, `img_align_celeba.zip`) or Kaggle's (`list_*.csv`, images in a folder or in a zip, which may contain the tables
too). A part of the images is enough; the user is told how many are missing.
"""

import shutil
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np

from vaeline.data import checksums, copies, web
from vaeline.data.archive import Archive, check_no_web_page, is_hidden, is_web_page
from vaeline.data.columns import read_column
from vaeline.data.labels import Labels, of_columns
from vaeline.data.raw_images import EncodedImages, Loader, RawImages
from vaeline.data.tables import Table, read_table
from vaeline.study.schema import Dataset
from vaeline.system.errors import UserError
from vaeline.system.files import disk_full, is_disk_full

IMAGES = 202_599


class Official(NamedTuple):
    """A file as the authors publish it."""

    identifier: str  # on Google Drive
    md5: str
    bytes: int


OFFICIAL = {  # identifiers and checksums as torchvision has them
    "list_attr_celeba.txt": Official("0B7EVK8r0v71pblRyaVFSWGxPY0U", "75e246fa4810816ffd6ee81facbd244c", 26_721_026),
    "list_eval_partition.txt": Official("0B7EVK8r0v71pY0NSMzRuSXJEVkk", "d32c9cbf5e040fd4025c592c306e6668", 2_836_386),
    "img_align_celeba.zip": Official("0B7EVK8r0v71pZjFTYXZWM3FlRnM", "00d2c5bc6d35e252742224ab0c1e8fcb", 1_443_490_838),
}
DOWNLOAD_BYTES = sum(file.bytes for file in OFFICIAL.values())
TABLES = ("list_attr_celeba", "list_eval_partition")
IDENTITY = "identity_CelebA"  # the person in each image; the authors send it on request, and Kaggle has it
PARTITION = {"0": "train", "1": "validation", "2": "test"}
ELSEWHERE = "set dataset.source to a folder that holds a copy (the official layout, or Kaggle's celeba-dataset)"


def download(dataset: Dataset, folder: Path) -> None:
    """Bring the official files, 1.4 GB in total, that are missing from `folder` or have another md5 there.

    Raises:
        UserError: Google Drive refuses, the disk is too small, or another file came.
    """
    missing = [name for name in OFFICIAL if not _is_official(folder / name)]
    if "img_align_celeba.zip" in missing:
        _announce(folder)
    for name in missing:
        _download(folder, name)


def _announce(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    needs = f"CelebA takes {DOWNLOAD_BYTES / 1e9:.1f} GB in {folder}, where {free / 1e9:.1f} GB are free"
    if free < DOWNLOAD_BYTES:
        raise UserError(f"{needs}; free some space, or {ELSEWHERE}.")
    print(f"download: {needs}; about {DOWNLOAD_BYTES / 10e6 / 60:.0f} minutes at 10 MB/s.", file=sys.stderr)


def _download(folder: Path, name: str) -> None:
    """Download to a temporary name, and rename the file if it is official. A broken transfer continues where it stopped."""
    import gdown

    unchecked = folder / f"{name}.unchecked"
    try:
        gdown.download(
            id=OFFICIAL[name].identifier,
            output=str(unchecked),
            resume=True,
            retries=web.AGAIN,
            timeout=web.SECONDS,
            quiet=not sys.stderr.isatty(),
        )
    except Exception as error:  # of gdown, of requests, or of the operating system
        if is_disk_full(error):
            raise disk_full(folder / name) from error
        raise _refused(name, " ".join(str(error).split())) from error
    try:
        if not _is_official(unchecked, name):
            raise _refused(name, _what_came(unchecked))
        checksums.move(unchecked, folder / name)
    finally:
        unchecked.unlink(missing_ok=True)


def _refused(name: str, reason: str) -> UserError:
    return UserError(f"Google Drive did not give CelebA's {name} ({reason}); try again in a day, or {ELSEWHERE}.")


def _what_came(path: Path) -> str:
    if not path.exists():
        return "nothing came"
    with path.open("rb") as file:
        if is_web_page(file.read(64)):
            return "a web page came instead: the quota of downloads is used up"
    return f"{path.stat().st_size:,} bytes came that do not have its md5"


def _is_official(path: Path, name: str = "") -> bool:
    """Whether a file is the official one of its name, or of `name`. Most others differ in size and are not read."""
    official = OFFICIAL[name or path.name]
    if not path.exists() or path.stat().st_size != official.bytes:
        return False
    return checksums.checksums(path).md5 == official.md5


def read(dataset: Dataset, folder: Path) -> RawImages:
    """Read the tables and match them with the images. Images without attributes are left out.

    Raises:
        UserError: `folder` is not a copy of CelebA, or a file of it is damaged.
    """
    archive = _archive(folder)
    inside = _by_bare_name(archive)
    attributes = _table(folder, archive, inside, "list_attr_celeba")
    _check_keys(dataset)
    present = [row for row, name in enumerate(attributes.ids) if name in inside]
    if not present:
        raise UserError(f"{archive.path} holds no image that list_attr_celeba names; {ELSEWHERE}.")
    ids = [attributes.ids[row] for row in present]
    names = [inside[each] for each in ids]
    archive.check_one_name_each(names)
    official = groups = None
    if dataset.split.method == "official":
        official = _official(_table(folder, archive, inside, "list_eval_partition", ["partition"]), ids)
    if dataset.split.group is not None:
        groups = _identities(_table(folder, archive, inside, IDENTITY, ["identity"]), ids)
    files = {archive.path.name: archive.fingerprint(names)} | _tables_read(dataset, folder)
    same = np.array(archive.first_copies(names))
    return RawImages(
        images=EncodedImages(archive, names, channels=3),
        labels=_labels(attributes.keep(present)),
        ids=ids,
        files=files,
        official=official,
        groups=groups,
        copies=same,
        notes=_notes(archive, attributes, ids) + copies.note(names, same) + _other_files(folder),
    )


def _tables_read(dataset: Dataset, folder: Path) -> dict[str, dict[str, int | str]]:
    """The fingerprints of the tables beside the images."""
    read = TABLES if dataset.split.group is None else (*TABLES, IDENTITY)
    return {path.name: checksums.fingerprint(path) for name in read for path in _beside(folder, name)}


def _check_keys(dataset: Dataset) -> None:
    """Check that the study asks for no column that other tables have."""
    if dataset.split.group not in (None, "identity"):
        raise UserError(f"dataset.split.group is {dataset.split.group!r}; of CelebA it may be `identity` or null.")
    if dataset.split.method in ("folders", "column") or dataset.bins:
        raise UserError(
            "dataset.split.method and dataset.bins: CelebA has neither folders or a column of splits nor columns of numbers; set the method to "
            "official or random, and bins to {}."
        )


def _labels(attributes: Table) -> Labels:
    """The attributes, which are all -1 or 1, or all 0 or 1.

    Raises:
        UserError: a cell is something else.
    """
    columns = dict(zip(attributes.names, zip(*attributes.rows, strict=True), strict=True))
    for name, cells in columns.items():
        if set(cells) <= {"-1", "1"} or set(cells) <= {"0", "1"}:
            continue
        allowed = ("0", "1") if "0" in cells and "-1" not in cells else ("-1", "1")
        row = next(row for row, cell in enumerate(cells) if cell not in allowed)
        raise UserError(
            f"list_attr_celeba, line {attributes.lines[row]}: {name} of {attributes.ids[row]} is {cells[row]!r}; allowed are "
            f"{' and '.join(allowed)}. Correct it."
        )
    return of_columns(read_column(name, cells) for name, cells in columns.items())


def _identities(table: Table, ids: list[str]) -> np.ndarray:
    persons = {name: row[0] for name, row in zip(table.ids, table.rows, strict=True)}
    if missing := next((name for name in ids if name not in persons), None):
        raise UserError(f"{IDENTITY} names no person in {missing}; correct it, or set dataset.split.group to null.")
    return np.array([persons[name] for name in ids])


def _archive(folder: Path) -> Archive:
    """The images: the official zip, the folder, or the only zip in `folder`."""
    zips = sorted(path for path in folder.glob("*.zip") if not is_hidden(path.name))
    for candidate in (folder / "img_align_celeba.zip", folder / "img_align_celeba", *(zips if len(zips) == 1 else ())):
        if candidate.exists():
            return Archive(candidate)
    raise UserError(
        f"{folder} is not a copy of CelebA: it holds neither img_align_celeba.zip, nor a folder img_align_celeba, nor a single zip; "
        "set dataset.source to `download` or to a folder that does."
    )


def _by_bare_name(archive: Archive) -> dict[str, str]:
    """The files of an archive by their names without folders, as the tables name them."""
    found: dict[str, str] = {}
    for name in archive.names:
        bare = name.rpartition("/")[2]
        if found.setdefault(bare, name) != name and bare.endswith(".jpg"):
            raise UserError(f"{archive.path} holds two images called {bare}: {found[bare]} and {name}; remove one.")
    return found


def _beside(folder: Path, name: str) -> list[Path]:
    """The file of a table next to the images, official or Kaggle's; an empty list if neither exists."""
    return [path for path in (folder / f"{name}.txt", folder / f"{name}.csv") if path.is_file()][:1]


def _table(folder: Path, archive: Archive, inside: dict[str, str], name: str, header: list[str] | None = None) -> Table:
    """Read a table next to the images or in their zip; `header` gives the columns of a table that does not name them."""
    for path in _beside(folder, name):
        return _parse(path.read_bytes(), path, header)
    if f"{name}.csv" in inside:
        return _parse(archive.read(inside[f"{name}.csv"]), archive.path / inside[f"{name}.csv"], header)
    raise UserError(f"{folder} holds no {name}.txt (official) or {name}.csv (Kaggle); add it, or {ELSEWHERE}.")


def _parse(content: bytes, path: Path, header: list[str] | None) -> Table:
    if is_web_page(content[:64]):
        check_no_web_page(path)
    if not content.strip():
        raise UserError(f"{path} is empty; get it again.")
    return read_table(content, str(path), header)


def _official(partition: Table, ids: list[str]) -> np.ndarray:
    splits = {name: PARTITION.get(row[0]) for name, row in zip(partition.ids, partition.rows, strict=True)}
    found = [splits.get(name) for name in ids]
    if None in found:
        raise UserError(
            f"list_eval_partition gives {ids[found.index(None)]} no split 0, 1 or 2; correct it, or set dataset.split.method to random."
        )
    return np.array(found)


def _other_files(folder: Path) -> list[str]:
    """A note for each file that has an official name but other content: a partial or an altered copy."""
    present = [folder / name for name in OFFICIAL if (folder / name).is_file()]
    return [f"{path.name} is not the official file (its md5 differs)." for path in present if not _is_official(path)]


def _notes(archive: Archive, attributes: Table, ids: list[str]) -> list[str]:
    """Notes on missing images, and on images that are not used."""
    absent = len(attributes.ids) - len(ids)
    unlabelled = sum(name.endswith(".jpg") for name in archive.names) - len(ids)
    notes = []
    if len(ids) < IMAGES:
        notes.append(f"{len(ids):,} of CelebA's {IMAGES:,} images are here; {IMAGES - len(ids):,} are missing.")
    if absent:
        notes.append(f"{absent:,} of {len(attributes.ids):,} rows of list_attr_celeba have no image.")
    if unlabelled:
        notes.append(f"{unlabelled:,} images in {archive.path.name} have no row in list_attr_celeba and are left out.")
    return notes


LOADER = Loader(read=read, download=download)
