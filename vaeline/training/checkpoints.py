"""Checkpoints of a training: written whole, verified when read, in a folder keyed by all that determines its result."""

import shutil
import time
from pathlib import Path

from vaeline.system.state_files import State, key_of, read_state, state_folder, write_state


class Checkpoints:
    """The folder of one training's checkpoints.

    The name of the folder holds a hash of all that determines the result of a training except the number of epochs, so that a
    longer training continues a shorter one. Each file is the state after an epoch. The last one of a finished training is kept;
    any other is replaced by its successor.

    Args:
        name: of the training, for people who read the folder.
        decides: all that determines the result, as JSON.
    """

    def __init__(self, name: str, decides: dict[str, object]) -> None:
        self.folder = state_folder(f"{name}-{key_of(decides)}")
        self.seconds = 0.0  # the training took up to the last checkpoint, over all its processes
        self._since = time.monotonic()

    def latest(self, epochs: int) -> State | None:
        """The state of the last epoch up to `epochs`; None if there is none.

        Raises:
            UserError: the file is damaged.
        """
        paths = [path for path in self._paths() if _epoch(path) <= epochs]
        state = read_state(paths[-1]) if paths else None
        self.seconds, self._since = state.pop("seconds", 0.0) if state else 0.0, time.monotonic()
        return state

    def write(self, epoch: int, state: State, finished: bool) -> None:
        """Write the state after `epoch`; a `finished` one is not replaced by a later one."""
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
    """Delete all checkpoints; returns the bytes freed."""
    root = state_folder()
    size = sum(path.stat().st_size for path in root.rglob("*") if path.is_file())
    shutil.rmtree(root, ignore_errors=True)
    return size


def _epoch(path: Path) -> int:
    return int(path.stem.removeprefix("epoch-"))
