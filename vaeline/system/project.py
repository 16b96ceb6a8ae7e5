"""The root folder of the project."""

from pathlib import Path

from vaeline.system.errors import UserError, shown


def main_worktree() -> Path:
    """The root of the project, also from inside a temporary experiment of DVC (`dvc exp run --temp`, the queue).

    Such an experiment runs in `.dvc/tmp/exps/...` of the project. Files that git ignores (sources, weights, checkpoints)
    are not copied there.
    """
    here = Path.cwd().resolve()
    for folder in here.parents:
        if folder.name == "exps" and folder.parent.name == "tmp" and folder.parents[1].name == ".dvc":
            return folder.parents[2]
    return here


def expanded(path: str | Path) -> Path:
    """A path with the home folder in place of `~` or `~user`.

    Raises:
        UserError: there is no such user.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise UserError(
            f"{shown(str(path))} begins with ~ and a name that no user has; write the whole path."
        ) from error
