"""The fingerprint of a data set's source, by which both engines notice that a file of it was changed, added or removed.

It is made of names and content, so that a touch or a copy changes nothing. Hidden files, and those that macOS and Windows add to
folders, are no part of it. A file is read once. Its checksum is kept in
`data/.sources/` of the project with its size, times and inode, and as long as these stay the same, it is not read again. If
no file has changed, not even the list of checksums is read, so that a source of 200,000 images takes about a second.
"""

import hashlib
import json
import os
import stat
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from vaeline.data.archive import is_hidden
from vaeline.data.checksums import SETTLED, checksums
from vaeline.data.paths import DATA, DOWNLOAD
from vaeline.study.schema import Dataset
from vaeline.system.errors import UserError
from vaeline.system.files import in_future, write_text
from vaeline.system.project import expanded, main_worktree

KEY = "fingerprint"  # in the manifest of the download step
KEPT = DATA / ".sources"
LARGE = 2**24  # bytes, from which a file's checksums are kept where the reader of a data set looks for them too
THREADS = 8


class Found(NamedTuple):
    """A file of a source. `line` changes when the file is written or replaced."""

    name: str
    path: str
    size: int
    written_ns: int
    changed_ns: int
    line: str


def of_source(dataset: Dataset) -> str:
    """The fingerprint of a local source; empty if the data set is downloaded or computed.

    Raises:
        UserError: the folder is missing, or holds a file that cannot be read.
    """
    if dataset.source == DOWNLOAD:
        return ""
    with _reading():
        folder = _folder(dataset.source)
        files = sorted(_files(folder))
    kept = main_worktree() / KEPT / hashlib.sha256(str(folder).encode()).hexdigest()[:16]
    if odd := next((file.name for file in files if not _is_utf8(file.name)), None):  # DVC cannot hash it
        raise UserError(
            f"The name of {odd.encode(errors='replace').decode()} in {folder} is not UTF-8; rename the file."
        )
    listing = hashlib.sha256("\n".join(file.line for file in files).encode()).hexdigest()
    with suppress(OSError, ValueError), kept.open(encoding="utf-8") as file:
        of_listing, fingerprint = file.readline().split()
        if of_listing == listing:
            return fingerprint
    return _hashed(files, listing, kept)


def state(folder: Path, written: Path | None = None) -> str:
    """A checksum of the names, sizes, times and inodes below a folder, which changes if a file changes and is restored.

    Empty if there is no such folder. A file that is being `written`, also under its temporary name, is left out.

    Raises:
        UserError: a file in it cannot be read.
    """
    with _reading():
        if not _is_folder(folder):
            return ""
        found = _files(folder)
        lines = sorted(file.line for file in found if written is None or written.name not in file.name)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def file_of_the_future(dataset: Dataset) -> Path | None:
    """A file of a local source with a time in the future, or None.

    Raises:
        UserError: as in `of_source`.
    """
    if dataset.source == DOWNLOAD:
        return None
    with _reading():
        found = _files(_folder(dataset.source))
        late = (Path(file.path) for file in found if in_future(file.written_ns / 1e9))
        return next(late, None)


@contextmanager
def _reading() -> Iterator[None]:
    """Turn an error of the operating system, such as a missing permission, into a sentence."""
    try:
        yield
    except OSError as error:
        raise UserError(
            f"{error.filename} cannot be read ({error.strerror}); mend it, check the permissions of it and of the folders above it, or "
            "give another dataset.source."
        ) from error


def _is_folder(path: Path) -> bool:
    """Whether a path is that of a folder. `Path.is_dir` answers a missing permission in another way in each version of Python."""
    try:
        return stat.S_ISDIR(os.stat(path).st_mode)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return False


def _folder(source: str) -> Path:
    """The folder of a source.

    Raises:
        UserError: there is no such folder, or DVC would look elsewhere for it.
    """
    if source.startswith("~"):
        raise UserError(
            f"dataset.source is {source!r}, and DVC does not know ~; write the whole path: {expanded(source)}."
        )
    folder = main_worktree() / source
    if not _is_folder(folder):
        if folder.is_file():
            raise UserError(f"dataset.source is {source!r}, which is a file; name its folder.")
        raise UserError(f"dataset.source is {source!r}, but there is no folder {folder}; give another source.")
    if (main_worktree() / DATA / "raw").resolve().is_relative_to(folder.resolve()):
        raise UserError(
            f"dataset.source is {source!r}, where the pipeline writes its own files; move the data to a folder of their own, such as "
            f"{DATA / 'mine'}."
        )
    return folder


def _files(folder: Path, below: str = "", above: tuple[tuple[int, int], ...] = ()) -> Iterator[Found]:
    """The files of a folder and of all folders in it, links too, except hidden ones. A link to a folder above itself is passed over.

    Raises:
        UserError: a link leads nowhere, or something is neither a file nor a folder.
    """
    here = os.stat(folder / below)
    above = (*above, (here.st_dev, here.st_ino))
    for entry in os.scandir(folder / below):
        if is_hidden(entry.name):
            continue
        name = f"{below}/{entry.name}" if below else entry.name
        found = _stat(entry)
        if stat.S_ISDIR(found.st_mode):
            if (found.st_dev, found.st_ino) not in above:
                yield from _files(folder, name, above)
        elif stat.S_ISREG(found.st_mode):
            times = f"{found.st_size} {found.st_mtime_ns} {found.st_ctime_ns} {found.st_ino}"
            yield Found(
                name, entry.path, found.st_size, found.st_mtime_ns, found.st_ctime_ns, f"{times} {json.dumps(name)}"
            )
        else:  # reading it may never end
            raise UserError(f"{entry.path} is no file with a content, but a pipe, a socket or a device; remove it.")


def _stat(entry: os.DirEntry[str]) -> os.stat_result:
    try:
        return entry.stat()
    except FileNotFoundError as error:
        if entry.is_symlink():
            raise UserError(f"{entry.path} is a link to a file that does not exist; remove it, or mend it.") from error
        raise _vanished(entry.path) from error


def _vanished(path: str) -> UserError:
    return UserError(f"{path} vanished while the folder was read; run again.")


def _is_utf8(name: str) -> bool:
    try:
        return bool(name.encode())
    except UnicodeEncodeError:
        return False


def _hashed(files: list[Found], listing: str, kept: Path) -> str:
    """Read the files that have changed, and keep all checksums, except while a file may still be written."""
    known = _read(kept)
    with ThreadPoolExecutor(THREADS) as pool:
        sums = list(pool.map(lambda file: known.get(file.line) or _sum(file), files))
    named = "\n".join(f"{sha256}  {file.name}" for sha256, file in zip(sums, files, strict=True))
    fingerprint = hashlib.sha256(named.encode()).hexdigest()[:16]
    settled = time.time_ns() - SETTLED
    if any(file.changed_ns > settled for file in files):
        listing = "unsettled"
    lines = [f"{sha256} {file.line}" for sha256, file in zip(sums, files, strict=True) if file.changed_ns <= settled]
    with suppress(OSError, UserError):  # a folder that cannot be written costs only time
        write_text(kept, "\n".join([f"{listing} {fingerprint}", *lines]))
    return fingerprint


def _read(kept: Path) -> dict[str, str]:
    """The checksums that are kept, by the line of their file."""
    with suppress(OSError, ValueError):
        _, *lines = kept.read_text(encoding="utf-8").split("\n")
        return {line: sha256 for sha256, _, line in (each.partition(" ") for each in lines)}
    return {}


def _sum(file: Found) -> str:
    """The checksum of a file.

    Raises:
        UserError: it cannot be read, or is no longer there.
    """
    try:
        return _sha256(file)
    except FileNotFoundError as error:
        raise _vanished(file.path) from error
    except OSError as error:
        raise UserError(f"{file.path} cannot be read ({error.strerror}); make it readable, or remove it.") from error


def _sha256(file: Found) -> str:
    if file.size >= LARGE:
        return checksums(Path(file.path)).sha256
    with open(file.path, "rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
