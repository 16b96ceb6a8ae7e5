"""Wait for a lock of another process, with a sentence about who has it, and not for ever."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from pipeline_steps.running import lock
from vaeline.system.errors import UserError

QUIET, LONGEST = 1.0, 60.0  # seconds without a word, and at most
EACH = 0.1  # seconds between two tries


def wait_for(file: TextIO) -> None:
    """Lock a file as soon as no other process has locked it. SIGTERM ends the process while it waits, and so does Ctrl-C.

    Raises:
        UserError: another process keeps the lock, or the file system has no locks.
    """
    began, told = time.monotonic(), False
    with _ended_by_sigterm():
        while not lock(file):
            waited = time.monotonic() - began
            if waited > LONGEST:
                raise UserError(
                    f"{holder(file)} has kept {file.name} locked for {LONGEST:.0f} seconds; wait for it to end, or stop it, and "
                    "run again."
                )
            if waited > QUIET and not told:
                told = True
                print(f"{holder(file)} has locked {file.name}; waiting for it to end.", file=sys.stderr, flush=True)
            time.sleep(EACH)


def holder(file: TextIO) -> str:
    """The process that has locked a file, as Linux names it."""
    inode = os.fstat(file.fileno()).st_ino
    with suppress(OSError, LookupError):
        for line in Path("/proc/locks").read_text(encoding="utf-8").splitlines():
            fields = line.split()
            if fields[1] == "FLOCK" and fields[5].split(":")[-1] == str(inode):
                name = Path(f"/proc/{fields[4]}/comm").read_text(encoding="utf-8").strip()
                return f"Process {fields[4]} ({name})"
    return "Another process"


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Within the block, SIGTERM has its usual effect, which Snakemake's handler puts off until a job ends."""
    try:
        before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    except ValueError:  # not the main thread
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
