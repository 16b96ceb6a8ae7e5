"""The weights that a study gives for its feature space by their path, as an input of the reference."""

import os
import stat

from vaeline.data.checksums import checksums
from vaeline.data.paths import DOWNLOAD, from_study
from vaeline.study.schema import Study
from vaeline.study.settings import values
from vaeline.system.errors import UserError

WEIGHTS = "evaluation.features.weights"


def are_downloaded(study: Study) -> bool:
    """Whether the weights are the official ones, which the download step fetches, and no file of the study's own."""
    return bool(values(study, [WEIGHTS])[WEIGHTS] == DOWNLOAD)


def fingerprint(study: Study) -> str:
    """The SHA-256 of the file; empty if the feature space has no weights of its own or downloads them.

    The file is read once, and again if its size or times change.

    Raises:
        UserError: it is no regular file, or cannot be read.
    """
    given = values(study, [WEIGHTS])[WEIGHTS]
    if given in (None, DOWNLOAD):
        return ""
    path = from_study(given)
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # a pipe or a device may never end
            raise UserError(
                f"evaluation.features.weights is {given!r}, and {path} is no file; give the path of the file."
            )
        return checksums(path).sha256
    except OSError as error:
        raise UserError(
            f"{WEIGHTS} is {given!r}, but {path} cannot be read ({error.strerror}); give the path of the file."
        ) from error
