"""The processes that share the batches of a training: the first one starts the others, and ends them.

Each process has a device of its own, or a share of the CPU's threads. The processes meet through a file, and gloo or NCCL adds their numbers.
"""

import multiprocessing
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import distributed

from vaeline.system.devices import set_threads
from vaeline.system.errors import UserError, reason

LONGEST = timedelta(days=7)  # that a process waits for a living one; a dead one is noticed at once
GRACE = (
    5.0  # seconds after an error until its cause must be known, and until all processes must have ended by themselves
)
FORCED = 60.0  # seconds after the death of a process until the first one ends too, even if it waits for a device
_ASKING = threading.Lock()  # if two threads ask at once how a process has ended, one of them gets no answer


class Other(NamedTuple):
    """Another process than the first."""

    name: str
    process: SpawnProcess
    words: Connection  # nothing when it is ready to meet the others, and its error if it fails


@contextmanager
def processes(count: int, work: Callable[..., None], *arguments: Any) -> Iterator[None]:
    """Share the batches within the block with other processes.

    Args:
        count: of processes, with this one.
        work: of another process, a function of a module. It is called with a function that meets the other processes, its number from
            1, its CPU threads, and the arguments; it prepares, meets, and does what the block does.
        arguments: to be pickled.

    Raises:
        UserError: another process has failed, or was ended.
    """
    if count == 1:
        yield
        return
    threads = torch.get_num_threads()
    set_threads(max(1, threads // count))
    arguments = (torch.get_num_threads(), *arguments)
    try:
        with tempfile.TemporaryDirectory() as folder, _group(count, Path(folder) / "meeting", work, arguments):
            yield
    finally:
        set_threads(threads)


@contextmanager
def _group(count: int, meeting: Path, work: Callable[..., None], arguments: tuple[Any, ...]) -> Iterator[None]:
    """Start the others and meet them. An error within the block that another process has caused is raised as the error of that process."""
    others, done = [_start(number, count, meeting, work, arguments) for number in range(1, count)], threading.Event()
    try:
        _await(others)
        threading.Thread(target=_watch, args=(others, done), daemon=True).start()
        _meet(0, count, meeting)
        yield
    except RuntimeError as error:  # torch raises it if a process that it waits for has ended
        if cause := _cause(others):
            raise cause from error
        raise
    finally:
        if distributed.is_initialized():
            distributed.destroy_process_group()
        done.set()
        _end(others)


def _start(number: int, count: int, meeting: Path, work: Callable[..., None], arguments: tuple[Any, ...]) -> Other:
    """Start a process from nothing: a fork would have the locks of threads that it lacks, and no GPU."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_other, args=(number, count, meeting, theirs, work, arguments), daemon=True)
    process.start()
    theirs.close()
    return Other(f"Process {number + 1} of {count} of the training", process, ours)


def _other(
    number: int, count: int, meeting: Path, words: Connection, work: Callable[..., None], arguments: tuple[Any, ...]
) -> None:
    """Another process. It is silent, since the first one says all that there is to say."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes, and the first one ends the others
    sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    threading.Thread(target=_end_with_parent, daemon=True).start()

    def meet() -> None:
        words.send_bytes(b"")
        _meet(number, count, meeting)

    try:
        work(meet, number, *arguments)
    except Exception as error:
        words.send_bytes((str(error) if isinstance(error, UserError) else reason(error)).encode())
        os._exit(1)  # threads of torch may wait for other processes
    distributed.destroy_process_group()


def _end_with_parent() -> None:
    """End this process as soon as the first one has ended, however it did."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)


def _meet(number: int, count: int, meeting: Path) -> None:
    """Join the group of all processes."""
    if torch.cuda.is_available():
        torch.cuda.set_device(number)
    loopback = next((name for _, name in socket.if_nameindex() if name.startswith("lo")), "")
    os.environ.setdefault("GLOO_SOCKET_IFNAME", loopback)  # otherwise a network must know the name of the machine
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    distributed.init_process_group(backend, meeting.as_uri(), rank=number, world_size=count, timeout=LONGEST)


def _await(others: list[Other]) -> None:
    """Wait until the others are ready to meet.

    Raises:
        UserError: one of them has failed, or was ended.
    """
    for other in others:
        wait([other.words, other.process.sentinel])
        try:
            error = other.words.recv_bytes()
        except EOFError:
            error = b"it has ended"
        if error:
            other.process.join(GRACE)
            raise _error(other, error.decode())


def _watch(others: list[Other], done: threading.Event) -> None:
    """End this process if another one has died, and torch does not notice."""
    wait([other.process.sentinel for other in others])
    while not done.is_set():
        if (dead := _dead(others)) and not done.wait(FORCED):
            print(f"Error: {_error(dead, _said(dead))}", file=sys.stderr, flush=True)
            os._exit(1)
        done.wait(1.0)


def _cause(others: list[Other]) -> UserError | None:
    """The error of another process, if one has ended. Its pipes close a moment before the system says how it ended."""
    until = time.monotonic() + GRACE
    while not (dead := _dead(others)) and time.monotonic() < until:
        time.sleep(0.02)
    return _error(dead, _said(dead)) if dead else None


def _dead(others: list[Other]) -> Other | None:
    """A process that has failed: one that a signal has ended comes first, since others fail when they miss it."""
    with _ASKING:
        found = [other for other in others if other.process.exitcode]
    return min(found, key=lambda other: other.process.exitcode or 0, default=None)


def _said(other: Other) -> str:
    """The error of a process; empty if it has said none."""
    try:
        return other.words.recv_bytes().decode() if other.words.poll() else ""
    except EOFError:
        return ""


def _error(other: Other, said: str) -> UserError:
    code = other.process.exitcode or 0
    if code < 0:
        return UserError(
            f"{other.name} was ended by {signal.Signals(-code).name}; run again, and the training goes on from its last checkpoint, or set "
            "training.processes to a lower number if the memory was not enough."
        )
    return UserError(f"{other.name} failed: {said or f'it ended with code {code}'}")


def _end(others: list[Other]) -> None:
    """Wait for the others to end by themselves, and end those that do not."""
    until = time.monotonic() + GRACE
    for other in others:
        other.process.join(max(0.0, until - time.monotonic()))
        if other.process.is_alive():
            other.process.kill()
            other.process.join()
        other.words.close()
