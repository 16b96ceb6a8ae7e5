"""The root folder of the project."""

from pathlib import Path


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
