"""Checkpoints of a training: written whole, verified when read, in a folder keyed by all that determines its result.

A file says what it is of: the name of the training, all that determines it, and the epoch. A copy in the folder of another
training, or under the name of another epoch, is refused.
"""

import re
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from vaeline.system.locks import LOCK, locked
from vaeline.system.state_files import State, key_of, plain, read_state, state_folder, unusable, write_state

# What the name of a folder has after that of its run.
OF_RUN = re.compile(r"(-density|-pretraining)?-[0-9a-f]{16}$|(-[0-9a-f]{16})?-evaluation$")
SHARE = 0.02  # at most, of the time of a training that goes into its checkpoints


class Checkpoints:
    """The folder of one training's checkpoints.

    The name of the folder holds a hash of all that determines the result of a training except the number of epochs, so that a
    longer training continues a shorter one. Each file is the state after an epoch. The last one of a finished training is kept;
    any other is replaced by its successor. Files of other names are ignored. Where epochs are hardly longer than the writing of a
    file takes, a file is `due` after some of them only.

    Args:
        name: of the training, for people who read the folder.
        decides: all that determines the result, as JSON.
    """

    def __init__(self, name: str, decides: dict[str, object]) -> None:
        self.folder = state_folder(f"{name}-{key_of(decides)}")
        self.epoch = 0  # of the last file; 0 without one
        self.seconds = 0.0  # the training took up to the last checkpoint, over all its processes
        self._of = {"name": name, "decides": plain(decides)}
        self._since = time.monotonic()
        self._pause = 0.0  # seconds between a file and the next

    def latest(self, epochs: int) -> State | None:
        """The state of the last epoch up to `epochs`; None if there is none.

        Raises:
            UserError: the file is damaged, or is of another training or another epoch than its place says.
        """
        paths = [path for path in self._paths() if _epoch(path) <= epochs]
        content = self._read(paths[-1]) if paths else None
        self.epoch = _epoch(paths[-1]) if paths else 0
        self.seconds, self._since = content["seconds"] if content else 0.0, time.monotonic()
        return content["state"] if content else None

    def due(self) -> bool:
        """Whether the last file is old enough for the next."""
        return time.monotonic() - self._since >= self._pause

    def write(self, epoch: int, state: State, finished: bool) -> None:
        """Write the state after `epoch`; a `finished` one is not replaced by a later one."""
        now = time.monotonic()
        self.epoch, self.seconds, self._since = epoch, self.seconds + now - self._since, now
        older = [path for path in self._paths() if path.suffix == ".last" and _epoch(path) <= epoch]
        content = {"of": {**self._of, "epoch": epoch}, "seconds": self.seconds, "state": state}
        write_state(self.folder / f"epoch-{epoch:05}.{'done' if finished else 'last'}", content)
        for path in older:
            path.unlink(missing_ok=True)
        self._pause = (time.monotonic() - now) / SHARE

    def _read(self, path: Path) -> State:
        """The content of a checkpoint, if it is of this training and of the epoch in its name."""
        content = read_state(path)
        of: Any = content.get("of")
        if not isinstance(of, dict) or not of.keys() >= {"name", "decides", "epoch"}:
            raise unusable(path, "does not say what it is of, as checkpoints of older versions of vaeline")
        if of["name"] != self._of["name"]:
            raise unusable(path, f"is of the training {of['name']}, not of {self._of['name']}")
        if of["decides"] != self._of["decides"]:
            raise unusable(path, f"is of {of['name']} with other {_differing(of['decides'], self._of['decides'])}")
        if of["epoch"] != _epoch(path):
            raise unusable(path, f"is of epoch {of['epoch']}, not of epoch {_epoch(path)}")
        return content

    def _paths(self) -> list[Path]:
        """The checkpoints, by epoch."""
        return _files(self.folder)


def last_epoch(name: str, epochs: int, folder: Path) -> int:
    """The last epoch up to `epochs` of which a training has a checkpoint; 0 without one.

    The settings of the training may be unknown. Of several trainings of one name, the one that wrote last is meant.

    Args:
        name: of the training.
        epochs: that are asked for.
        folder: of all state files.
    """
    whole = re.compile(f"{re.escape(name)}-[0-9a-f]{{16}}")
    trainings = [path for path in folder.glob(f"{name}-*") if path.is_dir() and whole.fullmatch(path.name)]
    found = _files(max(trainings, key=lambda path: path.stat().st_mtime)) if trainings else []
    return max((epoch for path in found if (epoch := _epoch(path)) <= epochs), default=0)


def clean() -> int:
    """Delete all checkpoints, and all results that are kept beside them; returns the bytes freed.

    Raises:
        UserError: a training is going on. Nothing is deleted.
    """
    runs = _folders_by_run()
    for folders in runs:
        with _locked(folders):
            pass
    return sum(map(_delete, runs))


def _folders_by_run() -> list[list[Path]]:
    """The folders of each run: only that of its training is locked while a process uses any of them."""
    runs: dict[str, list[Path]] = {}
    for folder in sorted(path for path in state_folder().glob("*") if path.is_dir()):
        runs.setdefault(OF_RUN.sub("", folder.name), []).append(folder)
    return list(runs.values())


@contextmanager
def _locked(folders: list[Path]) -> Iterator[None]:
    with ExitStack() as stack:
        for folder in folders:
            stack.enter_context(locked(folder, "training"))
        yield


def _delete(folders: list[Path]) -> int:
    """Delete the folders of a run; returns the bytes freed."""
    with _locked(folders):
        content = [path for folder in folders for path in folder.iterdir() if path.name != LOCK]
        freed = sum(path.stat().st_size for each in content for path in (each, *each.rglob("*")) if path.is_file())
        for path in content:
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    for folder in folders:  # a lock that is open cannot be deleted on NFS
        shutil.rmtree(folder)
    return freed


def _files(folder: Path) -> list[Path]:
    """The checkpoints in the folder of a training, by epoch."""
    named = (path for path in folder.glob("epoch-*") if re.fullmatch(r"epoch-\d+\.(done|last)", path.name))
    return sorted((path for path in named if path.is_file()), key=lambda path: (_epoch(path), path.suffix))


def _epoch(path: Path) -> int:
    return int(path.stem.removeprefix("epoch-"))


def _differing(found: dict[str, object], wanted: dict[str, object]) -> str:
    """The names of the settings that differ."""
    return " and ".join(key for key in sorted({*found, *wanted}) if found.get(key) != wanted.get(key))
