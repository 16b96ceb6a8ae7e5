"""What a run says that finds another run in its folder, in place of Snakemake's advice to remove the locks.

A run that was killed leaves its locks; the bridge removes them before the next run plans. So locks that are found later are those of a live run,
or of one that was interrupted and still records what it has finished.
"""

import os
import platform
from typing import TextIO

from snakemake import exceptions

from pipeline_steps.running import RUNNING


def mark(file: TextIO) -> None:
    """Write into the file that marks a run which process runs it.

    Args:
        file: RUNNING, which this process has locked.
    """
    file.truncate(0)
    file.write(f"process {os.getpid()} on {platform.node()}")
    file.flush()


def refusal() -> exceptions.WorkflowError:
    """The error of a run beside another one."""
    try:
        who = RUNNING.read_text(encoding="utf-8")
    except (OSError, ValueError):  # it has ended since, or has not marked itself yet
        who = ""
    of = f" ({who})" if who else ""
    return exceptions.WorkflowError(
        f"Another run of Snakemake is going on in this folder{of}; wait for it to end, which takes some seconds after Ctrl-C, or stop it, and run again."
    )


def replace_advice() -> None:
    """Let Snakemake raise `refusal` where it finds locks. It only ever calls the class of this error, and catches it nowhere."""
    exceptions.LockException = refusal
