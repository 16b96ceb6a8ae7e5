"""Files inside a folder or a zip archive, read alike; images are never unpacked to disk."""

import hashlib
import os
import struct
import zipfile
import zlib
from pathlib import Path

from vaeline.system.errors import UserError
from vaeline.system.files import sha256

HEADER = 30  # bytes before the name of a file inside a zip; the last are the lengths of the name and of what follows it
LENGTHS = struct.Struct("<HH")
BETWEEN = 128  # bytes that may follow a name and precede what it names; more take the slower way


class Archive:
    """A folder with all below it, or a zip archive; several threads may read at once."""

    def __init__(self, path: Path) -> None:
        """Open `path`.

        Raises:
            UserError: it is no zip archive, is truncated, or is a web page saved under the name of one.
        """
        self.path = path
        self._zip = None if path.is_dir() else _open_zip(path)
        self.names = sorted(name for name in self._found() if not _is_litter(name))

    def _found(self) -> list[str]:
        if self._zip:
            return [name for name in self._zip.namelist() if not name.endswith("/")]
        return [each.relative_to(self.path).as_posix() for each in self.path.rglob("*") if each.is_file()]

    def read(self, name: str) -> bytes:
        """The bytes of a file.

        Raises:
            UserError: they are damaged, as the checksum inside a zip tells.
        """
        try:
            return _read(self._zip, name) if self._zip else (self.path / name).read_bytes()
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError) as error:
            raise UserError(f"{name} in {self.path} cannot be read ({error}); get an undamaged copy.") from error

    def fingerprint(self, names: list[str]) -> dict[str, int | str]:
        """Size and SHA-256 of a zip archive, or of the files `names` of a folder taken together."""
        if self._zip:
            return fingerprint(self.path)
        digest, size = hashlib.sha256(), 0
        for name in names:
            content = self.read(name)
            digest.update(f"{hashlib.sha256(content).hexdigest()}  {name}\n".encode())
            size += len(content)
        return {"bytes": size, "count": len(names), "sha256": digest.hexdigest()}


def fingerprint(path: Path) -> dict[str, int | str]:
    """Size and SHA-256 of a file."""
    return {"bytes": path.stat().st_size, "sha256": sha256(path)}


def is_web_page(start: bytes) -> bool:
    """Whether the first bytes of a file are those of an HTML page, as Google Drive gives when a quota is used up."""
    return start.lstrip(b"\xef\xbb\xbf \t\r\n")[:14].lower().startswith((b"<!doctype html", b"<html", b"<head"))


def refuse_web_page(path: Path) -> None:
    """Raise a UserError if a downloaded file is a web page under its name."""
    with path.open("rb") as file:
        if is_web_page(file.read(64)):
            raise UserError(
                f"{path} is a web page saved under that name, as Google Drive gives when a file's quota of downloads is used "
                "up; replace it with the file itself, tried again in a day or from elsewhere."
            )


def _open_zip(path: Path) -> zipfile.ZipFile:
    refuse_web_page(path)
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, EOFError, OSError) as error:
        size = path.stat().st_size
        raise UserError(f"{path} ({size:,} bytes) is no zip archive or is truncated; get it again.") from error


def _read(archive: zipfile.ZipFile, name: str) -> bytes:
    """As `ZipFile.read`, which takes a lock and much Python; a file stored as it is, as images are, comes in one call instead."""
    entry = archive.getinfo(name)
    if entry.compress_type == zipfile.ZIP_STORED and archive.fp:
        most = HEADER + len(name.encode()) + BETWEEN + entry.file_size
        found = os.pread(archive.fp.fileno(), most, entry.header_offset)
        start = HEADER + sum(LENGTHS.unpack_from(found, HEADER - LENGTHS.size)) if len(found) > HEADER else 0
        content = found[start : start + entry.file_size]
        if zlib.crc32(content) == entry.CRC:
            return content
    return archive.read(entry)


def _is_litter(name: str) -> bool:
    """Whether a file is hidden, or one that macOS leaves in archives."""
    return any(step == "__MACOSX" or step.startswith(".") for step in name.split("/"))
