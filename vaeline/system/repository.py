"""What git says of the project."""

import os
import subprocess
from collections.abc import Sequence

from vaeline.system.errors import UserError

CODE = ("vaeline", "pipeline_steps", "workflow", "Snakefile", "parts")  # what a commit of the code changes
NO_REPOSITORY = "not a git repository (or any"  # how git says that no folder above is one


def git(*words: str) -> str:
    """What git says; empty outside a repository, without a commit, or without git."""
    said = _run(words)
    return "" if said is None or said.returncode else said.stdout.rstrip()


def tracks(paths: Sequence[str]) -> bool:
    """Whether git tracks a file below some paths, which a repository around the project may ignore.

    Args:
        paths: from the folder of the project.

    Raises:
        UserError: there is a repository, and git refuses to read it.
    """
    said = _run(["ls-files", "--", *paths])
    if said is None or NO_REPOSITORY in said.stderr:
        return False
    if said.returncode:
        raise UserError(
            f"git cannot read the repository ({' '.join(said.stderr.split())}); correct that, and try again."
        )
    return bool(said.stdout)


def last_commit(paths: Sequence[str]) -> str:
    """The last commit that changed a file below some paths; empty if the paths have no commit.

    Args:
        paths: from the folder of the project.

    Raises:
        UserError: there is a repository, and git refuses to read it.
    """
    return git("log", "-1", "--format=%H", "--", *paths) if tracks(paths) else ""


def edited(paths: Sequence[str]) -> list[str]:
    """The files below some paths that are not as in the commit, with those that are in none; none outside a repository.

    Args:
        paths: from the folder of the project, as the result is. The project may be a folder inside of its repository.

    Raises:
        UserError: git cannot say it.
    """
    said = _run(["status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", "--", *paths])
    if said is None or NO_REPOSITORY in said.stderr:
        return []
    if said.returncode:
        raise UserError(
            f"git cannot say which files were edited ({' '.join(said.stderr.split())}); correct that, and try again."
        )
    inside = git("rev-parse", "--show-prefix")
    return sorted(line[3:].removeprefix(inside) for line in said.stdout.split("\0") if line)


def _run(words: Sequence[str]) -> subprocess.CompletedProcess[str] | None:
    try:
        return subprocess.run(
            ["git", *words], check=False, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"}
        )
    except FileNotFoundError:  # git is not installed
        return None
