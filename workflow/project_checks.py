"""What a project must be before a run begins: a git repository with real folders and times that are not in the future."""

import os
import subprocess
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from vaeline.system import files
from vaeline.system.errors import UserError

ROOM = 1 << 20  # bytes, which the records of both engines need at least


def check_project(code: Iterable[str], outputs: Iterable[str], params: Path) -> None:
    """Check a project before its jobs start.

    Args:
        code: the files that are hashed.
        outputs: the files that the run makes.
        params: the active study.

    Raises:
        UserError: DVC could not record what a run makes, or a time of a file would make every job fail.
    """
    check_repository()
    for folder in sorted({folder for path in outputs for folder in Path(path).parents}):
        if folder.is_symlink():
            raise UserError(
                f"{folder} is a link to {folder.resolve()}, and DVC records no files behind a link; make it a folder, and move "
                "the whole project to that disk if it needs the room."
            )
    if late := [path for path in (str(params), *code) if in_future(path)]:
        raise UserError(
            f"{late[0]} has a time in the future, so that all that is made from it would look old; run `touch {late[0]}`, check "
            "the clock, and run again."
        )


def check_folder_of_snakemake(folder: Path) -> None:
    """Check that Snakemake can write to its folder, which it does even in a dry run.

    Raises:
        UserError: it cannot.
    """
    with suppress(OSError):
        folder.mkdir(exist_ok=True)
    if not os.access(folder, os.W_OK):
        raise UserError(
            f"Snakemake cannot write to its folder {folder} here, which it does even in a dry run; copy the project to a folder that "
            "you can write to. `make table` and `make explore` only read."
        )
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(ROOM))
            file.flush()
    except OSError as error:
        if not files.is_disk_full(error):
            raise
        raise UserError("The disk of this project is full; free some space and run again.") from None


def check_repository() -> None:
    """Check that the project is a git repository with a commit.

    Raises:
        UserError: it is not.
    """
    command = ["git", "rev-parse", "--verify", "--quiet", "HEAD"]
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True)
    except OSError as error:
        raise UserError(f"git cannot be run ({error}); install it and run again.") from error
    if done.returncode:
        reason = " ".join(done.stderr.split()) or "there is no commit"
        raise UserError(
            f"This folder is not a git repository with a commit, which DVC needs ({reason}); run `git init`, `git add --all` and "
            "`git commit --message start` here, and run again."
        )


def in_future(path: str) -> bool:
    """Whether a file was changed later than now."""
    try:
        return files.in_future(Path(path).stat().st_mtime)
    except OSError:
        return False
