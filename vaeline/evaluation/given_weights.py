"""The weights that a study gives for its feature space by their path, as an input of the reference."""

from pathlib import Path

from vaeline.data.checksums import checksums
from vaeline.study.schema import Study
from vaeline.system.errors import UserError
from vaeline.system.project import main_worktree

DOWNLOAD = "download"  # the value that stands for the file of the space's authors


def fingerprint(study: Study) -> str:
    """The SHA-256 of the file; empty if the feature space has no weights of its own or downloads them.

    The file is read once, and again if its size or times change.

    Raises:
        UserError: it cannot be read.
    """
    given = getattr(study.evaluation.features, "weights", DOWNLOAD)
    if given == DOWNLOAD:
        return ""
    path = main_worktree() / Path(given).expanduser()
    try:
        return checksums(path).sha256
    except OSError as error:
        raise UserError(
            f"evaluation.features.weights is {given!r}, but {path} cannot be read ({error.strerror}); give the path of the file."
        ) from error
