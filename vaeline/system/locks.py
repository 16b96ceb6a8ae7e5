"""Locks that keep two processes out of one folder."""

import errno
import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from vaeline.system.errors import UserError

QUEUED = "VAELINE_QUEUED"  # in the environment of a job that the queue of a cluster has started
LOCK = ".lock"  # the file that is locked, in the folder
NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS)


@contextmanager
def locked(folder: Path, doing: str) -> Iterator[None]:
    """Lock `folder` for this process within the block. The lock ends with the process, however it ends.

    A job of a queue waits for the lock: a Snakemake that was killed leaves its jobs running, and the next one submits them again.
    The time limit of the job ends the waiting.

    Args:
        folder: to lock; it is made if it is missing.
        doing: what the process does in it, for the error of another process.

    Raises:
        UserError: another process has locked the folder, or its file system has no locks.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / LOCK
    with path.open("a") as file:
        try:
            _lock(file, fcntl.LOCK_NB)
        except BlockingIOError as error:
            who = f"Another process is {doing} in {folder}"
            if QUEUED not in os.environ:
                raise UserError(f"{who}; wait for it to end, or stop it, and run again.") from error
            print(f"{who}; waiting for it to end.", file=sys.stderr, flush=True)
            _lock(file, 0)
        yield


def _lock(file: TextIO, how: int) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | how)
    except BlockingIOError:
        raise
    except OSError as error:
        raise no_locks(file.name, error) from error


def no_locks(path: str, error: OSError) -> Exception:
    """The error for a file that cannot be locked; other errors of the system stay as they are."""
    if error.errno not in NO_LOCKS:
        return error
    return UserError(
        f"{path} cannot be locked ({error.strerror}), because its file system has no locks; two runs would overwrite each other's "
        "files, so mount it with locks, or move the project to another disk."
    )
