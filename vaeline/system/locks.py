"""Locks that keep two processes out of one folder."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vaeline.system.errors import UserError


@contextmanager
def locked(folder: Path, doing: str) -> Iterator[None]:
    """Lock `folder` for this process within the block. The lock ends with the process, however it ends.

    Args:
        folder: to lock; it is made if it is missing.
        doing: what the process does in it, for the error of another process.

    Raises:
        UserError: another process has locked the folder.
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
