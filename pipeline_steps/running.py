"""Whether an engine is at work in the project, on this machine or on another one that shares the folder."""

import fcntl
import time
from pathlib import Path
from typing import TextIO

from vaeline.system.errors import UserError
from vaeline.system.locks import no_locks

# The file exists from the start of a run of Snakemake until what it finished is recorded; it is locked while the run lives.
RUNNING = Path(".snakemake/bridge/running")
DVC_STEP = Path(".dvc/tmp/step")  # each step that DVC has started keeps a shared lock of it until it ends
held: list[TextIO] = []  # keeps that file open


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


def begin_dvc_step() -> None:
    """Mark this process as a step of DVC until it ends, and refuse it beside a run of Snakemake.

    Raises:
        UserError: a run of Snakemake is going on.
    """
    DVC_STEP.parent.mkdir(parents=True, exist_ok=True)
    held.append(DVC_STEP.open("a"))
    while not lock(held[-1], shared=True):  # a run of Snakemake that begins has it for a moment
        time.sleep(0.01)
    refuse_beside_snakemake()


def require_no_dvc_step() -> None:
    """Check that no step of DVC is running, on any machine.

    Raises:
        UserError: one is.
    """
    if DVC_STEP.exists():
        with DVC_STEP.open("a") as file:
            if not lock(file):
                raise UserError(
                    "DVC is running a step in this project, here or on another machine; wait for it to end, or stop it, and run "
                    "again."
                )
