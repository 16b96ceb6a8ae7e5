"""The memory of a process: its budget for images, its peak, and what happens to freed memory. Imports nothing slow."""

import ctypes
import os
import resource
import sys
from collections.abc import Iterator
from contextlib import suppress
from math import inf
from pathlib import Path

from vaeline.system import control_groups
from vaeline.system.errors import UserError

STATUS = Path("/proc/self/status")
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # in glibc's malloc.h
SHARE = 8  # the images of a split may fill an eighth of the memory of a process


def budget() -> int:
    """Bytes of images of a split that a process may keep in memory.

    VAELINE_MEMORY, in gigabytes, or else an eighth of the memory that the process has.

    Raises:
        UserError: VAELINE_MEMORY is not a number above 0.
    """
    given = os.environ.get("VAELINE_MEMORY")
    if given is None:
        return available() // SHARE
    try:
        gigabytes = float(given)
    except ValueError:
        gigabytes = 0
    if not 0 < gigabytes < inf:
        raise UserError(f"VAELINE_MEMORY is {given!r}; give the gigabytes of images to keep in memory, e.g. 2.5.")
    return int(gigabytes * 1e9)


def available() -> int:
    """Bytes of memory that this process has.

    Those of this machine, of its control groups (such as those of a container), or of its job under Slurm, whichever has the least.
    """
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return min([machine, *_limits_of_groups(), *_limits_of_slurm()])


def _limits_of_groups() -> Iterator[int]:
    """The limits in bytes of this process's control groups; a group without a limit says `max`."""
    for words in control_groups.limits("memory", "memory.max", "memory.limit_in_bytes"):
        with suppress(ValueError):
            [limit] = map(int, words)
            yield limit


def _limits_of_slurm() -> Iterator[int]:
    """The limits in bytes of this job; Slurm gives megabytes. 0 means all memory of the node."""
    megabytes = [_of_environment("SLURM_MEM_PER_NODE")]
    if each := _of_environment("SLURM_MEM_PER_CPU"):
        cpus = _of_environment("SLURM_CPUS_ON_NODE") or _of_environment("SLURM_CPUS_PER_TASK") or 1
        megabytes.append(each * cpus)
    yield from (each * 2**20 for each in megabytes if each)


def _of_environment(name: str) -> int:
    """The whole number in a variable of the environment; 0 if it is not set, or no whole number."""
    given = os.environ.get(name, "")
    return int(given) if given.isascii() and given.isdecimal() else 0


def peak() -> int:
    """The most bytes of memory that this process has used, GPU memory excluded.

    Linux reports it in /proc. Other systems report it through `getrusage`, which on Linux would include the memory of the
    parent process.
    """
    with suppress(OSError, StopIteration):
        line = next(line for line in STATUS.read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def keep_memory() -> None:
    """Let this process keep the memory that it frees, if its C library is glibc; otherwise do nothing.

    By default the system gives each tensor of some megabytes fresh memory, zeroes it page by page, and takes it back at the
    end of the operation. That took a third of an importance-sampled likelihood and an eighth of a convolution's training.
    """
    with suppress(OSError, AttributeError):
        tune = ctypes.CDLL(None).mallopt
        tune(M_MMAP_MAX, 0)
        tune(M_TRIM_THRESHOLD, -1)
