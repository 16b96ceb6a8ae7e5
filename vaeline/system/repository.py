"""What git says of the project."""

import subprocess
from collections.abc import Sequence

from vaeline.system.errors import UserError

CODE = ("vaeline", "pipeline_steps", "workflow", "Snakefile", "parts")  # what a commit of the code changes


def git(*words: str) -> str:
    """What git says; empty outside a repository, without a commit, or without git."""
    said = _run(words)
    return "" if said is None or said.returncode else said.stdout.rstrip()


def edited(paths: Sequence[str]) -> list[str]:
    """The files below some paths that are not as in the commit, with those that are in none; none outside a repository.

    Args:
        paths: from the folder of the project, as the result is. The project may be a folder inside of its repository.

    Raises:
        UserError: git cannot say it.
    """
    said = _run(["status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", "--", *paths])
    if said is None or not git("rev-parse", "--git-dir"):
        return []
    if said.returncode:
        raise UserError(
            f"git cannot say which files were edited ({' '.join(said.stderr.split())}); correct that, and try again."
        )
    inside = git("rev-parse", "--show-prefix")
    return sorted(line[3:].removeprefix(inside) for line in said.stdout.split("\0") if line)


def _run(words: Sequence[str]) -> subprocess.CompletedProcess[str] | None:
    try:
        return subprocess.run(["git", *words], check=False, capture_output=True, text=True)
    except FileNotFoundError:  # git is not installed
        return None
