"""DVC's own table of locks, `.dvc/tmp/rwlock`: which process reads or writes which files of the project.

`dvc repro` removes the outputs of a stage before it runs the stage's command, which is too late for the command to refuse.
A run of Snakemake is therefore entered as a reader of `data` and `results`. DVC then refuses to write there before it removes
anything, while `dvc status` and other readers go on.

DVC takes an entry for left behind if its process does not exist, and on another machine that shares the folder the process of a
run does not exist. A run is therefore entered with a process that exists on every machine. A keeper, which outlives a run that is
killed, removes its entry then. If the whole machine went down, the next run of Snakemake removes it, and so does `snakemake -n`.
"""

import os
import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dvc.exceptions import DvcException
from dvc.lock import LockError
from dvc.repo import Repo, lock_repo
from dvc.rwlock import RWLockFileCorruptedError, _edit_rwlock

from pipeline_steps.running import require_no_dvc_step
from vaeline.data.paths import DATA
from vaeline.runs.folder import RESULTS
from vaeline.system.errors import UserError
from vaeline.system.files import is_alive
from vaeline.system.locks import locked

# DVC shows it.
ENTERED = (
    "a run of Snakemake in this project ({run}); wait for it to end, or stop it, and run again; if its machine went down, run "
    "`snakemake -n all` first"
)
BEGIN = ENTERED.partition("{")[0]
EVERYWHERE = 1  # a process that every machine has
FOLDERS = (DATA, Path(RESULTS))
KEEPER = Path(__file__).with_name("lock_keeper.py")
keepers: list[subprocess.Popen[bytes]] = []  # keeps their standard input open


def refuse_beside_dvc() -> None:
    """Check that no command of DVC is changing files.

    Raises:
        UserError: one is, or DVC cannot read its files.
    """
    _edited_alone(_refuse_writers)


def enter() -> None:
    """Keep DVC from writing to `data` and `results` until `leave`, or until this process ends, on every machine.

    Raises:
        UserError: a command of DVC is changing files, or DVC cannot read its files.
    """
    entry = ENTERED.format(run=f"process {os.getpid()} on {platform.node()}")

    def change(table: Any) -> None:
        _refuse_writers(table)
        for folder in FOLDERS:
            table["read"][str(folder.absolute())].append({"pid": EVERYWHERE, "cmd": entry})

    _keep(entry)
    _edited_alone(change)


def _keep(entry: str) -> None:
    """Start the process that removes an entry when this process has ended, however it ends."""
    command = [sys.executable, "-IS", str(KEEPER), str(Path(".dvc/tmp/rwlock").absolute()), entry]
    quiet = subprocess.DEVNULL
    keepers.append(
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=quiet, stderr=quiet, start_new_session=True, cwd="/")
    )


def leave(repo: Repo) -> None:
    """Remove the entries of runs of Snakemake that have ended.

    Args:
        repo: whose lock is held.

    Raises:
        UserError: a command of DVC is changing files.
    """

    def change(table: Any) -> None:
        _refuse_writers(table)
        for path, readers in list(table["read"].items()):
            table["read"][path] = [reader for reader in readers if not reader["cmd"].startswith(BEGIN)]
            if not table["read"][path]:
                del table["read"][path]

    _edit(repo, change)


def _refuse_writers(table: Any) -> None:
    for writer in table["write"].values():
        if is_alive(writer["pid"]):
            raise UserError(
                f"DVC is running in this project (process {writer['pid']}: {Path(writer['cmd']).name}); wait for it to end, or stop "
                "it, and run again."
            )
    require_no_dvc_step()


def _edited_alone(change: Callable[[Any], None]) -> None:
    """Edit the table while no command of DVC is between two stages."""
    try:
        with Repo(".") as repo, lock_repo(repo):
            _edit(repo, change)
    except LockError as error:
        with locked(Path(".dvc/tmp"), "looking at DVC's locks"):  # DVC says the same if the file system has no locks
            pass
        raise UserError(
            "Another command of DVC is running in this project; wait for it to end, or stop it, and run again."
        ) from error
    except DvcException as error:
        raise UserError(f"DVC cannot read its files ({error}); correct this and run again.") from error


def _edit(repo: Repo, change: Callable[[Any], None]) -> None:
    hardlink = repo.config["core"].get("hardlink_lock", False)
    try:
        with _edit_rwlock(repo.tmp_dir, repo.fs, hardlink) as table:
            change(table)
    except RWLockFileCorruptedError:  # the process that wrote it was killed
        Path(repo.tmp_dir, "rwlock").unlink()
        with _edit_rwlock(repo.tmp_dir, repo.fs, hardlink) as table:
            change(table)
