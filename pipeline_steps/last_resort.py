"""How a step ends that is interrupted, or that fails in a way that nobody foresaw."""

import os
import signal
import sys
import threading
import traceback
from pathlib import Path

from vaeline.study import parts
from vaeline.system.errors import UserError, reason
from vaeline.system.files import write_text
from vaeline.system.project import main_worktree

FOLDER = Path(".tracebacks")  # git and DVC ignore it
RAISED = "VAELINE_TRACEBACK"  # in the environment of a developer who wants tracebacks on the terminal


def allow_interrupt() -> None:
    """Let Ctrl-C raise KeyboardInterrupt again, so that a step can undo what it has begun."""
    if signal.getsignal(signal.SIGINT) not in (signal.SIG_IGN, None) and _in_main_thread():
        signal.signal(signal.SIGINT, signal.default_int_handler)


def end_interrupted() -> None:
    """End this process as a shell expects it after Ctrl-C. A second Ctrl-C does not disturb the end."""
    if _in_main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    print("Interrupted.", file=sys.stderr)
    sys.exit(130)


def explain(error: BaseException, step: str) -> str:
    """A sentence about an error that no code expected, with its place if a part of the project's own raised it or called what did.

    The traceback is kept in a file, for a developer.

    Args:
        error: that ended the step.
        step: its name.
    """
    lines = "".join(traceback.format_exception(error))
    path = FOLDER / f"{step}-{os.getpid()}.txt"
    try:
        write_text(main_worktree() / path, lines)
        where = f"in {path}"
    except (OSError, UserError):
        print(lines, file=sys.stderr)
        where = "above"
    kind = "" if type(error).__name__ in (said := reason(error)) else f"{type(error).__name__}: "
    if place := _in_own_part(error):
        return f"{place} failed ({kind}{said}); correct it, and run again; the traceback is {where}."
    advice = "free memory and run again" if isinstance(error, MemoryError) else "please report it"
    return f"{step} failed unexpectedly ({kind}{said}); {advice}; the traceback is {where}."


def _in_own_part(error: BaseException) -> str:
    """The line of one of the project's own parts that raised an error, or called what did; empty if no own part took part."""
    own = parts.own_folder("priors").parent
    lines = [each for each in traceback.extract_tb(error.__traceback__) if own in Path(each.filename).parents]
    return f"{Path(lines[-1].filename).relative_to(own.parent)}, line {lines[-1].lineno}," if lines else ""


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
