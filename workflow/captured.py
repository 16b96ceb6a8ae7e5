"""What this process and the processes that it starts print, as lines, while something else has the terminal."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

STREAMS = (1, 2)  # file descriptors of output and errors


class Lines:
    """The whole lines that are added to a file which others write.

    Args:
        path: of the file, which need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self.path, self._at, self._rest = path, 0, b""

    def new(self) -> Iterator[str]:
        """The lines since the last call. A carriage return, with which a bar begins anew, ends a line too."""
        try:
            with self.path.open("rb") as file:
                file.seek(self._at)
                added = file.read()
        except OSError:
            return
        self._at += len(added)
        *whole, self._rest = (self._rest + added).replace(b"\r", b"\n").split(b"\n")
        for line in whole:
            if text := line.decode("utf-8", "backslashreplace").rstrip():
                yield text

    def last(self) -> str:
        """What follows the last whole line, when nothing more is written."""
        rest, self._rest = self._rest, b""
        return rest.decode("utf-8", "backslashreplace").rstrip()


class Captured:
    """Sends the output and the errors of this process, and of those that it starts, to a file.

    A file and not a pipe: a process that outlives this one can still print.

    Args:
        path: of the file.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.lines = Lines(path)
        with path.open("ab") as file:
            self._before = {stream: os.dup(stream) for stream in STREAMS}
            _flush()
            for stream in STREAMS:
                os.dup2(file.fileno(), stream)

    def terminal(self) -> TextIO:
        """A stream to where errors went before."""
        return os.fdopen(os.dup(self._before[2]), "w", encoding="utf-8", errors="backslashreplace")

    def release(self) -> None:
        """Send output and errors to where they went before."""
        _flush()
        for stream, before in self._before.items():
            os.dup2(before, stream)
            os.close(before)
        self._before = {}


def _flush() -> None:
    sys.stdout.flush()
    sys.stderr.flush()
