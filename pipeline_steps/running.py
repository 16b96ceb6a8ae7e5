"""Whether a run of Snakemake is going on in the project."""

import fcntl
from pathlib import Path
from typing import TextIO

from vaeline.system.errors import UserError
from vaeline.system.locks import no_locks

# The file exists from the start of a run of Snakemake until what it finished is recorded; it is locked while the run lives.
RUNNING = Path(".snakemake/bridge/running")


def lock(file: TextIO, shared: bool = False) -> bool:
    """Lock a file for as long as it is open. Returns False if another process has locked it; two shared locks go together.

    Raises:
        UserError: the file system has no locks.
    """
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise no_locks(file.name, error) from error
    return True


def refuse_beside_snakemake() -> None:
    """Keep another command from changing the files of a run of Snakemake that is going on.

    Raises:
        UserError: a run is going on.
    """
    if RUNNING.exists():
        with RUNNING.open("a") as file:
            if not lock(file, shared=True):
                raise UserError(
                    "A run of Snakemake is going on in this project; wait for it to end, or stop it, and run again."
                )
