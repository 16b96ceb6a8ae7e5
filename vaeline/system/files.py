"""Files that appear whole or not at all."""

import errno
import glob
import hashlib
import json
import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from vaeline.system.errors import UserError, reading_ours

if TYPE_CHECKING:
    from pydantic import TypeAdapter

T = TypeVar("T")

CLOCKS_DIFFER = 10  # seconds, at most: the clock of a machine and that of a file server
FULL = ("No space left", "disk is full")  # the words of libraries; the second are those of SQLite, which DVC uses


@contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """Give a temporary name next to `path`, and rename the file to `path` if the block ends without an error.

    Temporary files of `path` that killed processes of this machine left behind are removed.

    Raises:
        UserError: the disk is full. No file is left under either name.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(path)
    aside = path.with_name(f".{path.name}.{platform.node()}-{os.getpid()}.part")
    try:
        yield aside
        with aside.open("rb") as written:
            os.fsync(written.fileno())
        aside.replace(path)
    except Exception as error:
        if is_disk_full(error):
            raise disk_full(path) from error
        if isinstance(error, OSError) and error.errno and error.filename in (None, str(aside)):
            # The user knows the final name, not the temporary one.
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
    finally:
        with suppress(
            OSError
        ):  # on a read-only disk nothing was written, and removing it would raise in place of the first error
            aside.unlink()


def _remove_leftovers(path: Path) -> None:
    begin = f".{path.name}.{platform.node()}-"
    for left in path.parent.glob(f"{glob.escape(begin)}*.part"):
        process = left.name.removeprefix(begin).removesuffix(".part")
        if process.isdecimal() and not is_alive(int(process)):
            left.unlink(missing_ok=True)


def is_alive(process: int) -> bool:
    """Whether a process of this machine exists."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # the process of another user
        return True
    return True


def is_disk_full(error: Exception) -> bool:
    """Whether a full disk or quota caused an error, even if a library wrapped the error in another one."""
    code = error.errno if isinstance(error, OSError) else None
    return code in (errno.ENOSPC, errno.EDQUOT) or any(words in str(error) for words in FULL)


def disk_full(path: Path) -> UserError:
    """The error for a disk that was full when `path` was written."""
    return UserError(
        f"The disk is full while writing {path}; free some space and run again (nothing half-written is left)."
    )


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path` in one step."""
    with written_aside(path) as aside:
        aside.write_bytes(content)


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` in one step."""
    write_bytes(path, text.encode())


def write_json(path: Path, content: object) -> None:
    """Write `content` as sorted, indented JSON in one step.

    Raises:
        ValueError: it contains a NaN or an infinity.
    """
    write_text(path, json.dumps(content, indent=2, sort_keys=True, allow_nan=False) + "\n")


def read_json(content: "TypeAdapter[T]", path: Path, again: str) -> T:
    """Read a JSON file without a seal, and check its content.

    Args:
        content: what it must be.
        path: of the file.
        again: what to do if it is missing or damaged.

    Raises:
        UserError: it is missing, cannot be read, or is damaged.
    """
    with reading_ours(path, again):
        return content.validate_json(path.read_bytes(), strict=True)


def in_future(changed: float) -> bool:
    """Whether a file was changed later than now, by its time in seconds; clocks that differ a little do not count."""
    return changed > time.time() + CLOCKS_DIFFER


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def plain_json(content: object) -> str:
    """JSON that depends on values alone: not on the order of keys, or on tuples and lists."""
    read_back = json.loads(json.dumps(content))  # keys that are numbers are then text, and sorted as text
    return json.dumps(read_back, sort_keys=True)


def json_sha256(content: object) -> str:
    """Hexadecimal SHA-256 of values, by their `plain_json`."""
    return hashlib.sha256(plain_json(content).encode()).hexdigest()
