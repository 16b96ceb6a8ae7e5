"""Files that appear whole or not at all, and the lock that keeps two writers apart."""

import errno
import fcntl
import glob
import hashlib
import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vaeline.system.errors import UserError


@contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """Give a temporary name beside `path`; rename it to `path` once the block ends well.

    What processes of this machine that were killed have left of `path` is removed.

    Raises:
        UserError: the disk is full. Nothing is left under either name.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _clear_left_aside(path)
    aside = path.with_name(f".{path.name}.{platform.node()}-{os.getpid()}.part")
    try:
        yield aside
        with aside.open("rb") as written:
            os.fsync(written.fileno())
        aside.chmod(0o666 & ~_umask())  # safetensors makes files that nobody else can read
        aside.replace(path)
    except Exception as error:
        if is_disk_full(error):
            raise disk_full(path) from error
        if isinstance(error, OSError) and error.errno and error.filename in (None, str(aside)):
            # Of the name that the reader knows.
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
    finally:
        aside.unlink(missing_ok=True)


def _umask() -> int:
    umask = os.umask(0o077)
    os.umask(umask)
    return umask


def _clear_left_aside(path: Path) -> None:
    begin = f".{path.name}.{platform.node()}-"
    for left in path.parent.glob(f"{glob.escape(begin)}*.part"):
        process = left.name.removeprefix(begin).removesuffix(".part")
        if process.isdecimal() and not _lives(int(process)):
            left.unlink(missing_ok=True)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    return True


def is_disk_full(error: Exception) -> bool:
    """Whether an error, also one that a library wrapped in its own words, comes of a full disk or quota."""
    return getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or "No space left" in str(error)


def disk_full(path: Path) -> UserError:
    """The sentence for a disk that is full while `path` is written."""
    return UserError(
        f"The disk is full while writing {path}; free some space and run again (nothing half-written is left)."
    )


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` in one step."""
    with written_aside(path) as aside:
        aside.write_text(text, encoding="utf-8")


def write_json(path: Path, content: Any) -> None:
    """Write `content` as sorted, indented JSON in one step; NaN is refused, not written."""
    write_text(path, json.dumps(content, indent=2, sort_keys=True, allow_nan=False) + "\n")


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def locked(folder: Path, doing: str) -> Iterator[None]:
    """Hold `folder` for one process; the lock dies with its holder.

    Raises:
        UserError: another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UserError(
                f"Another process is {doing} in {folder}; wait for it to end, or stop it, and run again."
            ) from error
        yield


def main_worktree() -> Path:
    """The project's root, also from inside a temporary experiment of DVC (`dvc exp run --temp`, the queue).

    Such an experiment runs in `.dvc/tmp/exps/...` of the project, where ignored files (sources, weights,
    checkpoints) are absent.
    """
    here = Path.cwd().resolve()
    for folder in here.parents:
        if folder.name == "exps" and folder.parent.name == "tmp" and folder.parents[1].name == ".dvc":
            return folder.parents[2]
    return here
