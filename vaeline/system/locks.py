"""Locks that keep two processes out of one folder."""

import errno
import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vaeline.system.errors import UserError

LOCK = ".lock"  # the file that is locked, in the folder
NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS)


@contextmanager
def locked(folder: Path, doing: str) -> Iterator[None]:
    """Lock `folder` for this process within the block. The lock ends with the process, however it ends.

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
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UserError(
                f"Another process is {doing} in {folder}; wait for it to end, or stop it, and run again."
            ) from error
        except OSError as error:
            raise no_locks(str(path), error) from error
        yield


def no_locks(path: str, error: OSError) -> Exception:
    """The error for a file that cannot be locked; other errors of the system stay as they are."""
    if error.errno not in NO_LOCKS:
        return error
    return UserError(
        f"{path} cannot be locked ({error.strerror}), because its file system has no locks; two runs would overwrite each other's "
        "files, so mount it with locks, or move the project to another disk."
    )
