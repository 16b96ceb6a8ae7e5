"""The files in a folder or in a zip archive, read in the same way; images are never unpacked to disk."""

import hashlib
import os
import struct
import zipfile
import zlib
from pathlib import Path

from vaeline.data.checksums import fingerprint
from vaeline.system.errors import UserError, reason

HEADER = 30  # bytes before a file's name in a zip; the last ones are the lengths of the name and of the extra field
LENGTHS = struct.Struct("<HH")
BETWEEN = 128  # bytes of extra fields between a name and its content; a file with more is read by zipfile


class Archive:
    """A folder with all folders below it, or a zip archive; several threads may read at once."""

    def __init__(self, path: Path) -> None:
        """Open `path`.

        Raises:
            UserError: it is not a zip archive, is truncated, or is a web page that was saved under that name.
        """
        self.path = path
        self._zip = None if path.is_dir() else _open_zip(path)
        self.names = sorted(name for name in self._every() if not _is_hidden(name))

    def _every(self) -> list[str]:
        if self._zip:
            return [name for name in self._zip.namelist() if not name.endswith("/")]
        return [each.relative_to(self.path).as_posix() for each in self.path.rglob("*") if each.is_file()]

    def read(self, name: str) -> bytes:
        """The bytes of a file.

        Raises:
            UserError: the file is damaged, or its checksum in the zip differs.
        """
        try:
            return _read(self._zip, name) if self._zip else (self.path / name).read_bytes()
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
            digest.update(f"{hashlib.sha256(content).hexdigest()}  {name}\n".encode())
            size += len(content)
        return {"bytes": size, "count": len(names), "sha256": digest.hexdigest()}


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


def _is_hidden(name: str) -> bool:
    """Whether a file is hidden, or one that macOS adds to archives."""
    return any(step == "__MACOSX" or step.startswith(".") for step in name.split("/"))
