"""Runs a function in a fork of this process, so that whatever it does, even a crash or a loop without end, is an outcome.

The parent has imported all libraries, so that a fork takes milliseconds.
"""

import os
import pickle
import re
import resource
import select
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.campaign.outcome import LONGEST, Outcome, Verdict
from vaeline.system.errors import UserError

SECONDS = 120.0  # after which a function hangs; none needs a tenth of it
TRACEBACK = re.compile(
    r"Traceback \(most recent call last\)|failed unexpectedly"
)  # the second of an error that no code expected
MEMORY = 4 * 2**30  # bytes that a function may add to the address space of its process


@dataclass(frozen=True)
class Reply:
    """What a function returned, or how it ended.

    Args:
        outcome: RIGHT if it returned, which says nothing of the value.
        value: that it returned.
        said: its error, and what it printed.
    """

    outcome: Outcome
    value: Any = None
    said: str = ""

    def judged(self, expected: object, what: str) -> Verdict:
        """The verdict on a function that should have returned a value, or refused with a sentence."""
        if self.outcome is Outcome.RIGHT and self.value != expected:
            return Verdict(Outcome.SILENT, what, f"returned {self.value!r}; right is {expected!r}"[:LONGEST])
        return Verdict(self.outcome, what, self.said if self.outcome is not Outcome.RIGHT else "")


def call(function: Callable[[], Any], seconds: float = SECONDS, memory: int = MEMORY) -> Reply:
    """Run a function in a fork and wait for its end.

    Args:
        function: whose value can be pickled.
        seconds: after which it is killed.
        memory: bytes that it may add to the address space.
    """
    with tempfile.TemporaryFile() as printed:
        reader, writer = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        child = os.fork()
        if not child:
            os.close(reader)
            _serve(function, writer, printed.fileno(), memory)
        os.close(writer)
        content = _received(reader, seconds)
        if content is None:
            os.killpg(child, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        printed.seek(0)
        text = printed.read().decode("utf-8", "replace")
    return _reply(content, status, text, seconds)


def _received(reader: int, seconds: float) -> bytes | None:
    """All that comes through a pipe until its end; None if that takes too long."""
    content, until = b"", time.monotonic() + seconds
    with open(reader, "rb", buffering=0) as pipe:
        while select.select([pipe], [], [], max(0.0, until - time.monotonic()))[0]:
            some = pipe.read(2**16)
            if not some:
                return content
            content += some
    return None


def _reply(content: bytes | None, status: int, printed: str, seconds: float) -> Reply:
    if content is None:
        return Reply(Outcome.HANG, said=f"killed after {seconds:.0f} s. {printed[-LONGEST:]}")
    if status or not content:
        return Reply(Outcome.TRACEBACK, said=f"the process ended with status {status}. {printed[-LONGEST:]}")
    reply: Reply = pickle.loads(content)
    if TRACEBACK.search(printed):
        return Reply(Outcome.TRACEBACK, said=printed[-LONGEST:])
    return refused(printed) if reply.outcome is Outcome.SENTENCE and not reply.said else reply


def attempt(function: Callable[[], Any]) -> Reply:
    """Run a function in this process, and tell how it ended. A command that refused has printed its sentence."""
    try:
        return Reply(Outcome.RIGHT, function())
    except UserError as error:
        return refused(str(error))
    except SystemExit as exit:
        return Reply(Outcome.SENTENCE) if exit.code else Reply(Outcome.RIGHT)
    except MemoryError:
        return Reply(Outcome.HANG, said=f"took more memory than it may. {traceback.format_exc()[-LONGEST:]}")
    except BaseException:
        return Reply(Outcome.TRACEBACK, said=traceback.format_exc()[-LONGEST:])


def refused(sentence: str) -> Reply:
    """The reply of a program that refused with a text, which has to be a sentence that a person can read."""
    if not 0 < len(sentence) <= LONGEST:
        return Reply(Outcome.TRACEBACK, said=f"a sentence of {len(sentence):,} characters: {sentence[:LONGEST]}")
    return Reply(Outcome.SENTENCE, said=sentence)


def _serve(function: Callable[[], Any], writer: int, printed: int, memory: int) -> None:
    """Run the function in the child, and send the reply."""
    os.setsid()
    os.dup2(printed, 1)
    os.dup2(printed, 2)
    sys.stdout, sys.stderr = (open(number, "w", encoding="utf-8", closefd=False) for number in (1, 2))  # noqa: SIM115
    _limit(memory)
    reply = attempt(function)
    with open(writer, "wb") as pipe:
        pipe.write(pickle.dumps(reply))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _limit(memory: int) -> None:
    """Let this process add at most so many bytes to its address space."""
    with open("/proc/self/statm", encoding="ascii") as file:
        pages = int(file.read().split()[0])
    now = pages * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + memory, resource.getrlimit(resource.RLIMIT_AS)[1]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
