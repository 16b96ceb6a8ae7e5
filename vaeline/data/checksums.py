"""Checksums of files that are too large to be read more often than needed.

A file is read once for all its checksums. They are kept in `data/.checksums.json` of the project, together with the file's
size, times of change and inode. As long as these stay the same, the file is not read again; otherwise it is.
"""

import hashlib
import json
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

from pydantic import TypeAdapter
from pydantic.dataclasses import dataclass

from vaeline.data.paths import DATA
from vaeline.system.errors import UserError
from vaeline.system.project import main_worktree
from vaeline.system.sealed_files import unseal, write_sealed

KEPT = DATA / ".checksums.json"
CHUNK = 2**20  # bytes that are read at once
# A file that was written more recently may be written again without a change of its times, whose resolution is up to 2 s.
SETTLED = 2 * 10**9  # nanoseconds


class Checksums(NamedTuple):
    """The size and the checksums of a file."""

    bytes: int
    md5: str
    sha256: str


@dataclass(frozen=True)
class _Kept:
    """What is kept of a file."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    md5: str
    sha256: str

    def is_of(self, path: Path) -> bool:
        """Whether the file is still the one that was read."""
        return (self.size, self.mtime_ns, self.ctime_ns, self.inode) == _identity(path)


KEPT_FILES = TypeAdapter(dict[str, _Kept])


def checksums(path: Path) -> Checksums:
    """The size and the checksums of a file, which is read unless it was read before and has not changed since.

    Raises:
        OSError: it cannot be read.
    """
    kept = _read_kept().get(_key(path))
    if kept and kept.is_of(path):
        return Checksums(kept.size, kept.md5, kept.sha256)
    before = _identity(path)
    found = _hash(path)
    size, mtime, ctime, _ = before
    if before == _identity(path) and size == found.bytes and time.time_ns() - max(mtime, ctime) > SETTLED:
        _keep(path, found)
    return found


def fingerprint(path: Path) -> dict[str, int | str]:
    """The size and SHA-256 of a file, as in a manifest."""
    found = checksums(path)
    return {"bytes": found.bytes, "sha256": found.sha256}


def move(source: Path, target: Path) -> None:
    """Rename a file and keep its checksums, although the renaming changes one of its times."""
    kept = _read_kept().get(_key(source))
    known = kept if kept and kept.is_of(source) else None
    source.replace(target)
    if known:
        _keep(target, Checksums(known.size, known.md5, known.sha256))


def _hash(path: Path) -> Checksums:
    """Read a file once, for all checksums."""
    md5, sha256, size = hashlib.md5(usedforsecurity=False), hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            md5.update(chunk)
            sha256.update(chunk)
            size += len(chunk)
    return Checksums(size, md5.hexdigest(), sha256.hexdigest())


def _identity(path: Path) -> tuple[int, int, int, int]:
    """What changes when a file is written or replaced: size, time of its content, time of its inode, inode."""
    found = path.stat()
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino


def _key(path: Path) -> str:
    return str(path.resolve())


def _read_kept() -> dict[str, _Kept]:
    with suppress(OSError, ValueError, RecursionError):  # there is no file, or it is damaged
        kept = unseal(json.loads((main_worktree() / KEPT).read_bytes()))
        return KEPT_FILES.validate_json(json.dumps(kept), strict=True)
    return {}


def _keep(path: Path, found: Checksums) -> None:
    """Add a file to those that are kept, and drop those that no longer exist. A folder that cannot be written costs only time."""
    entry = _Kept(*_identity(path), md5=found.md5, sha256=found.sha256)
    kept = {name: each for name, each in _read_kept().items() if Path(name).exists()} | {_key(path): entry}
    with suppress(OSError, UserError):
        write_sealed(main_worktree() / KEPT, {name: asdict(each) for name, each in kept.items()})
