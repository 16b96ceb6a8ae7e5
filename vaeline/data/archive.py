"""The files in a folder or in a zip archive, read in the same way; images are never unpacked to disk."""

import hashlib
import os
import stat
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NoReturn, Protocol

from vaeline.data.checksums import fingerprint
from vaeline.system.errors import UserError, reason, some_of

HEADER = 30  # bytes before a file's name in a zip; the last ones are the lengths of the name and of the extra field
LENGTHS = struct.Struct("<HH")
UTF8 = 0x800  # the flag of a zip entry whose name is UTF-8
# Files that Windows and macOS add to folders, beside those whose name begins with a dot.
ADDED = {"thumbs.db", "ehthumbs.db", "desktop.ini", "__macosx", "icon\r", "$recycle.bin", "system volume information"}
BETWEEN = 128  # bytes of extra fields between a name and its content; a file with more is read by zipfile


class Files(Protocol):
    """Image files that are read by name, wherever they lie; several threads may read at once."""

    @property
    def path(self) -> Path:
        """Of the folder or the file that holds them, for errors."""
        ...

    def read(self, name: str) -> bytes:
        """The bytes of a file."""
        ...


class Archive:
    """A folder with all folders below it, or a zip archive; several threads may read at once.

    Links to folders are followed. A name that is not UTF-8 is shown with its odd bytes as `\\xe9`, so that every name can be
    printed and stored.
    """

    def __init__(self, path: Path) -> None:
        """Open `path`.

        Raises:
            UserError: it is not a zip archive, is truncated, or is a web page that was saved under that name.
        """
        self.path = path
        self._zip = None if path.is_dir() else _open_zip(path)
        self.broken: list[str] = []  # links that lead to no file
        self._inodes: dict[str, tuple[int, int]] = {}  # device and number of each file of a folder
        found = _names_in_zip(self._zip, path) if self._zip else _names_below(path, self.broken, self._inodes)
        self._stored = {name: stored for name, stored in found.items() if not is_hidden(name)}
        self._sums: dict[str, bytes] = {}  # SHA-256 of each file of a folder that was read for it
        self.names = sorted(self._stored)

    def read(self, name: str) -> bytes:
        """The bytes of a file.

        Raises:
            UserError: the file is damaged, or its checksum in the zip differs.
        """
        try:
            stored = self._stored.get(name, name)
            return _read(self._zip, stored) if self._zip else (self.path / stored).read_bytes()
        except (PermissionError, MemoryError):  # no fault of the file
            raise
        except Exception as error:  # of zipfile and of its decompressors
            raise UserError(
                f"{name} in {self.path} cannot be read ({reason(error)}); get an undamaged copy."
            ) from error

    def fingerprint(self, names: list[str]) -> dict[str, int | str]:
        """Size and SHA-256 of a zip archive, or of the files `names` of a folder together."""
        if self._zip:
            return fingerprint(self.path)
        digest, size = hashlib.sha256(), 0
        for name in names:
            content = self.read(name)
            self._sums[name] = hashlib.sha256(content).digest()
            digest.update(f"{self._sums[name].hex()}  {name}\n".encode())
            size += len(content)
        return {"bytes": size, "count": len(names), "sha256": digest.hexdigest()}

    def check_one_name_each(self, names: Iterable[str]) -> None:
        """Check that no two names lead to the same file.

        Raises:
            UserError: two do, through links.
        """
        seen: dict[tuple[int, int], str] = {}
        twice = [(first, name) for name in names if (first := self._first_name(seen, name)) != name]
        if twice:
            pairs = [f"{first} and {name}" for first, name in twice]
            raise UserError(
                f"{self.path} has two names for one file, by links, so that its image would count twice: {some_of(pairs)}; remove one link."
            )

    def _first_name(self, seen: dict[tuple[int, int], str], name: str) -> str:
        inode = self._inodes.get(name)
        return name if inode is None else seen.setdefault(inode, name)

    def first_copies(self, names: list[str]) -> list[int]:
        """For each file, the place in `names` of the first one with the same content.

        Files are compared by their SHA-256. In a zip, only files of equal size and CRC-32 are read for it.
        """
        rough = [self._rough(name) for name in names]
        often, first = Counter(rough), dict[bytes | int, int]()
        keys = (row if often[rough[row]] == 1 else self._sha256(name) for row, name in enumerate(names))
        return [first.setdefault(key, row) for row, key in enumerate(keys)]

    def _rough(self, name: str) -> object:
        """A cheap key: equal files have equal keys; few other files do."""
        if self._zip:
            entry = self._zip.getinfo(self._stored[name])
            return entry.CRC, entry.file_size
        return self._sums.get(name) or (self.path / self._stored[name]).stat().st_size

    def _sha256(self, name: str) -> bytes:
        if name not in self._sums:
            self._sums[name] = hashlib.sha256(self.read(name)).digest()
        return self._sums[name]


def is_web_page(start: bytes) -> bool:
    """Whether a file begins like an HTML page, which Google Drive sends when a quota is used up."""
    return start.lstrip(b"\xef\xbb\xbf \t\r\n")[:14].lower().startswith((b"<!doctype html", b"<html", b"<head"))


def check_no_web_page(path: Path) -> None:
    """Check that a file is not a web page.

    Raises:
        UserError: it is one.
    """
    with path.open("rb") as file:
        if is_web_page(file.read(64)):
            raise UserError(
                f"{path} is a web page saved under that name; Google Drive sends one when a file's quota of downloads is used "
                "up. Replace it with the file itself: try again in a day, or get it from elsewhere."
            )


def _open_zip(path: Path) -> zipfile.ZipFile:
    check_no_web_page(path)
    try:
        return zipfile.ZipFile(path)
    except Exception as error:  # of zipfile, or any that damage leads to
        size = path.stat().st_size
        raise UserError(f"{path} ({size:,} bytes) is not a zip archive, or is truncated; get it again.") from error


def _names_in_zip(archive: zipfile.ZipFile, path: Path) -> dict[str, str]:
    """The files of a zip archive: the name that is shown, and the name that zipfile gives the file."""
    found: dict[str, str] = {}
    for entry in archive.infolist():
        if entry.is_dir():
            continue
        name = _zip_name(entry)
        if name in found:
            raise UserError(f"{path} contains two files that are called {name}; leave one.")
        found[name] = entry.filename
    return found


def _zip_name(entry: zipfile.ZipInfo) -> str:
    """The name of a file in a zip. Many programs write UTF-8 without saying so, which zipfile reads as code page 437."""
    name = entry.filename
    if not entry.flag_bits & UTF8:
        with suppress(UnicodeError):
            name = name.encode("cp437").decode()
    return name.removeprefix("./")


def _names_below(path: Path, broken: list[str], inodes: dict[str, tuple[int, int]]) -> dict[str, str]:
    """The files in a folder and below it: the name that is shown, and the path relative to the folder.

    Links that lead to no file are added to `broken`, and the device and number of each file to `inodes`.
    """
    found, visited = {}, {os.path.realpath(path): "."}
    for folder, below, files in os.walk(path, followlinks=True, onerror=_unreadable):
        below[:] = [name for name in sorted(below) if not is_hidden(name) and _is_new(folder, name, path, visited)]
        prefix = "" if folder == os.fspath(path) else f"{os.path.relpath(folder, path)}{os.sep}"
        for name in files:
            whole, shown = os.path.join(folder, name), shown_name(prefix + name)
            try:
                state = os.stat(whole)
            except PermissionError as error:
                _unreadable(error)
            except OSError:  # a link to nothing, or in a circle
                if not is_hidden(name):
                    broken.append(shown)
                continue
            if stat.S_ISREG(state.st_mode):
                found[shown] = prefix + name
                inodes[shown] = state.st_dev, state.st_ino
    broken.sort()
    return found


def _is_new(parent: str, name: str, root: Path, visited: dict[str, str]) -> bool:
    """Whether to go into a folder: a link to a folder above it would go round for ever.

    Raises:
        UserError: the same folder was visited under another name.
    """
    whole = os.path.join(parent, name)
    real, shown = os.path.realpath(whole), shown_name(os.path.relpath(whole, root))
    if Path(os.path.realpath(parent)).is_relative_to(real):
        return False
    if real in visited:
        raise UserError(
            f"{visited[real]} and {shown} in {root} are the same folder, so that its images would count twice; remove one link."
        )
    visited[real] = shown
    return True


def _unreadable(error: OSError) -> NoReturn:
    raise UserError(f"{error.filename} cannot be read ({error.strerror}); make it readable, or remove it.") from error


def shown_name(name: str) -> str:
    """A file's name as text: bytes that are not UTF-8 are shown as escapes."""
    return os.fsencode(name).decode("utf-8", "backslashreplace").replace(os.sep, "/")


def _read(archive: zipfile.ZipFile, name: str) -> bytes:
    """Like `ZipFile.read`, but an uncompressed file, as images are, is read in one call, without a lock and with little Python."""
    entry = archive.getinfo(name)
    if entry.compress_type == zipfile.ZIP_STORED and archive.fp:
        most = HEADER + len(name.encode()) + BETWEEN + entry.file_size
        found = os.pread(archive.fp.fileno(), most, entry.header_offset)
        start = HEADER + sum(LENGTHS.unpack_from(found, HEADER - LENGTHS.size)) if len(found) > HEADER else 0
        content = found[start : start + entry.file_size]
        if zlib.crc32(content) == entry.CRC:
            return content
    return archive.read(entry)


def is_hidden(name: str) -> bool:
    """Whether a file is hidden, or one that macOS or Windows adds to folders and archives."""
    return any(step.startswith(".") or step.lower() in ADDED for step in name.split("/"))
