"""Checkpoints of a training: written whole, verified when read, one folder for each set of things that decide its bytes."""

import hashlib
import json
import shutil
import time
from pathlib import Path
from typing import Any

from vaeline.system.project import main_worktree
from vaeline.system.state_files import FOLDER, read_state, write_state


class Checkpoints:
    """The folder of one training's checkpoints.

    The folder is named by a hash of all that decides the bytes of a training except how many epochs it lasts, so that
    a longer training goes on from a shorter one. Each file is the state after an epoch. One of a finished training
    stays when a later epoch is written; any other gives way to its successor.

    Args:
        name: says whose they are, for people.
        decides: all that decides the bytes, as JSON can hold it.
    """

    def __init__(self, name: str, decides: dict[str, Any]) -> None:
        key = hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:16]
        self.folder = main_worktree() / FOLDER / f"{name}-{key}"
        self.seconds = 0.0  # that the training took up to the last checkpoint, in all its processes
        self._since = time.monotonic()

    def latest(self, epochs: int) -> dict[str, Any] | None:
        """The state of the last epoch that is not beyond `epochs`; None where there is none.

        Raises:
            UserError: the file is damaged.
        """
        paths = [path for path in self._paths() if _epoch(path) <= epochs]
        state = read_state(paths[-1]) if paths else None
        self.seconds, self._since = state.pop("seconds", 0.0) if state else 0.0, time.monotonic()
        return state

    def write(self, epoch: int, state: dict[str, Any], finished: bool) -> None:
        """Write the state after `epoch`; `finished` keeps it from giving way to a later one."""
        now = time.monotonic()
        self.seconds, self._since = self.seconds + now - self._since, now
        older = [path for path in self._paths() if path.suffix == ".last" and _epoch(path) <= epoch]
        write_state(
            self.folder / f"epoch-{epoch:05}.{'done' if finished else 'last'}", {**state, "seconds": self.seconds}
        )
        for path in older:
            path.unlink(missing_ok=True)

    def _paths(self) -> list[Path]:
        return sorted(self.folder.glob("epoch-*.*"))


def clean() -> int:
    """Delete all checkpoints; returns the bytes that this frees."""
    root = main_worktree() / FOLDER
    size = sum(path.stat().st_size for path in root.rglob("*") if path.is_file())
    shutil.rmtree(root, ignore_errors=True)
    return size


def _epoch(path: Path) -> int:
    return int(path.stem.removeprefix("epoch-"))
