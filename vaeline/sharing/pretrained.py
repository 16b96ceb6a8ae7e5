"""Loading a run that somebody has shared: from the Hugging Face hub, or from a folder."""

from pathlib import Path

import torch

from vaeline.runs.trained_run import TrainedRun, load
from vaeline.sharing import hub
from vaeline.system.errors import UserError, shown


def from_pretrained(
    source: Path | str,
    *,
    revision: str | None = None,
    store: Path | str | None = None,
    device: torch.device | str = "cpu",
) -> TrainedRun:
    """Load a run that `vaeline push` has sent to the Hugging Face hub, or written to a folder.

    Its files are checked as those of any run, and nothing is unpickled.

    Args:
        source: a repository, such as `anna/digits`, which the extra `hub` downloads; or a folder: a path, or a text that begins with `.`, `/`
            or `~` or names a folder that exists.
        revision: a branch, a tag or a commit of the repository; None for the newest.
        store: HDF5 store of its images, as in `load`.
        device: of the model.

    Raises:
        UserError: the repository cannot be downloaded, or is no run of vaeline; or a file is missing or damaged.
    """
    folder = hub.local_folder(source)
    if folder is not None and revision is not None:
        raise UserError(f"revision is {shown(revision)}, but {folder} is a folder, which has none; leave revision out.")
    return load(hub.fetch(str(source), revision) if folder is None else folder, store, device)
