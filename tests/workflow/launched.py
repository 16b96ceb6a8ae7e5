"""A command at work in a scratch project, which a launcher runs and which can be killed with all that it has started."""

import os
import signal
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from tests.workflow import launcher
from tests.workflow.launcher import Launcher


class Launched:
    """A running command.

    Args:
        by: the launcher.
        command: its words.
        folder: the working directory.
        environment: its variables.
        limit: seconds, after which it hangs.
    """

    def __init__(
        self, by: Launcher, command: Sequence[str], folder: Path, environment: Mapping[str, str], limit: int
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="run")
        self._roster = Path(self._folder.name, "roster")
        self._output = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115
        self.status: int | None = None  # None until it has ended, and for good if it hangs

        def run() -> None:
            noted = {**environment, launcher.ROSTER: str(self._roster)}
            try:
                self.status = by.run(command, folder, noted, self._output.fileno(), limit)
            except TimeoutError:
                self.status = None
            except ValueError:  # the answer of a killed process is empty
                self.status = -signal.SIGKILL

        self._thread = threading.Thread(target=run)
        self._thread.start()

    def ended(self, seconds: float | None = None) -> bool:
        """Wait for the end, at most so long; returns whether it has come."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def wait(self) -> int:
        """The exit status, when it has ended."""
        self.ended()
        assert self.status is not None, f"it hangs: {self.said()}"
        return self.status

    def kill(self) -> None:
        """Kill all processes of the run at one moment."""
        launcher.kill(self._roster)
        self.ended()

    def interrupt(self) -> None:
        """Interrupt all processes of the run, as Ctrl-C does."""
        launcher.signalled(self._roster, signal.SIGINT)
        self.ended()

    def kill_newest(self) -> None:
        """Kill the process that was started last, such as a step, as the kernel does when memory runs out."""
        processes = launcher.enlisted(self._roster)
        if len(processes) > 1:
            with suppress(ProcessLookupError):
                os.killpg(processes[-1][0], signal.SIGKILL)

    def started(self, command: str) -> bool:
        """Whether a command with these words has been started."""
        return any(command in words for _, words in launcher.enlisted(self._roster))

    def said(self) -> str:
        """All that it has printed."""
        self._output.seek(0)
        return self._output.read()
