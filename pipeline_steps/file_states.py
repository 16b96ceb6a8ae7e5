"""The state of the project's code files when this process began: later edits of them are noticed, also if they are undone.

A change of a file's times and inode shows a change of its content without a comparison of clocks, which may differ between
machines. The package imports this module before any other, and it imports nothing of the project.
"""

import os
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("vaeline", "pipeline_steps", "parts")
State = tuple[int, int, int, int]


def state(path: Path) -> State | None:
    """What changes when a file is written or replaced: size, time of its content, time of its inode, inode; None without a file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino


def every_file() -> dict[Path, State | None]:
    """The state of each file of the code, without caches of bytecode."""
    found = {}
    for package in PACKAGES:
        for folder, below, names in os.walk(ROOT / package):
            below[:] = [name for name in below if name != "__pycache__"]
            found.update({path: state(path) for path in (Path(folder, name) for name in names)})
    return found


AT_START = every_file()


def changed(paths: set[Path] | None = None) -> list[Path]:
    """The files, of some or of all, that were written, replaced, added or removed since this process began, sorted."""
    now = every_file() if paths is None else {path: state(path) for path in paths}
    of_interest = now.keys() | AT_START.keys() if paths is None else paths
    return sorted(path for path in of_interest if now.get(path) != AT_START.get(path))
