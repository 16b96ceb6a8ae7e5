"""The Hugging Face hub: a folder goes there as a commit, and the files of a model come back."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from vaeline.runs.folder import DESCRIPTION, WEIGHTS
from vaeline.sharing.shared_folder import NAMES, require_ours
from vaeline.system.errors import UserError, reason, shown
from vaeline.system.extras import imported
from vaeline.system.project import expanded
from vaeline.system.reachable import unreachable
from vaeline.system.version import __version__

REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
LOGIN = "log in by `hf auth login`, or set HF_TOKEN to a token"


def local_folder(place: Path | str) -> Path | None:
    """The folder that a place names; None if it names a repository of the hub.

    A path, a text that begins with `.`, `/` or `~`, and the name of a folder that exists are folders.

    Raises:
        UserError: it is neither.
    """
    if isinstance(place, os.PathLike) or (
        isinstance(place, str) and (place.startswith((".", "/", "~")) or os.path.isdir(place))
    ):
        return expanded(place)
    if not isinstance(place, str) or not REPOSITORY.fullmatch(place):
        raise UserError(
            f"{shown(place)} is neither a folder, such as ./model, nor a repository of the hub, such as anna/digits; give one of the two."
        )
    return None


def send(folder: Path, repository: str, message: str, private: bool = False) -> str:
    """Make a repository if it is not there, and commit the files of a folder to it.

    Args:
        folder: as `shared_folder.write` makes it.
        repository: `owner/name`.
        message: of the commit.
        private: whether a new repository is shown to its owner alone.

    Returns:
        The address of the repository.

    Raises:
        UserError: the hub cannot be reached or refuses, or the repository has files of other things, or is open to all and should not be.
    """
    hub = imported("huggingface_hub", "vaeline push")
    api = _api(hub)
    if unreachable(hub.constants.ENDPOINT):
        raise UserError(f"{_no_hub(hub)}; connect to the network, or give a folder.")
    with _in_sentences(hub, repository):
        made = api.create_repo(repository, private=private or None, exist_ok=True)
        if private and not api.model_info(repository).private:  # it was there before
            raise UserError(
                f"The repository {repository} is open to all; make it private on the hub, or name a new one."
            )
        there = api.list_repo_files(repository)
        require_ours(there, f"The repository {repository}")
        new = {name: folder / name for name in NAMES if (folder / name).exists()}
        files = [hub.CommitOperationAdd(name, path) for name, path in new.items()]
        former = [hub.CommitOperationDelete(name) for name in NAMES if name in there and name not in new]
        api.create_commit(repository, [*files, *former], commit_message=message)
    return str(made)


def fetch(repository: str, revision: str | None = None) -> Path:
    """The folder of a model's files in the hub's cache; what is there already is not downloaded again.

    Args:
        repository: `owner/name`.
        revision: a branch, a tag or a commit; None for the newest.

    Raises:
        UserError: the hub cannot be reached or refuses, or the repository has no such revision or is no run of vaeline.
    """
    hub = imported("huggingface_hub", "vaeline.from_pretrained")
    api = _api(hub)
    cached = unreachable(hub.constants.ENDPOINT)
    with _in_sentences(hub, repository, revision):
        found = Path(api.hf_hub_download(repository, DESCRIPTION, revision=revision, local_files_only=cached))
        api.hf_hub_download(repository, WEIGHTS, revision=found.parent.name, local_files_only=cached)  # same commit
    return found.parent


def _api(hub: ModuleType) -> Any:
    return hub.HfApi(endpoint=hub.constants.ENDPOINT, library_name="vaeline", library_version=__version__)


@contextmanager
def _in_sentences(hub: ModuleType, repository: str, revision: str | None = None) -> Iterator[None]:
    """Turn each error of the hub into a sentence."""
    errors = hub.errors
    try:
        yield
    except errors.RevisionNotFoundError as error:
        raise UserError(
            f"{repository} has no revision {shown(revision)}; give a branch, a tag or a commit of it."
        ) from error
    except errors.RepositoryNotFoundError as error:  # also if it is gated, or private and not this user's
        raise UserError(
            f"The hub shows no repository {repository}; check the name, or {LOGIN} that may see it."
        ) from error
    except errors.RemoteEntryNotFoundError as error:
        raise UserError(
            f"{repository} lacks a file of a run of vaeline ({DESCRIPTION} or {WEIGHTS}); give a repository that `vaeline push` has filled."
        ) from error
    except errors.HfHubHTTPError as error:
        status = error.response.status_code
        said = f"; {LOGIN} that may write there" if status in (401, 403) else "; try again later"
        raise UserError(f"The hub refused {repository} ({status}: {reason(error)}){said}.") from error
    except errors.HFValidationError as error:
        raise UserError(
            f"{shown(repository)} or {shown(revision)} is no name that the hub takes ({reason(error)}); correct it."
        ) from error
    except (errors.HTTPError, errors.OfflineModeIsEnabled, errors.LocalEntryNotFoundError) as error:
        raise UserError(
            f"{_no_hub(hub)}, and this machine has no copy of {repository}; connect to the network, or give a folder."
        ) from error


def _no_hub(hub: ModuleType) -> str:
    return f"The hub at {hub.constants.ENDPOINT} cannot be reached"
