"""How much memory a process takes for images, and what it does with memory that it frees. Nothing slow is imported here."""

import ctypes
import os
import resource
import sys
from contextlib import suppress
from math import inf
from pathlib import Path

from vaeline.system.errors import UserError

STATUS = Path("/proc/self/status")
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # in glibc's malloc.h


def budget() -> int:
    """Bytes of images that a process may hold: VAELINE_MEMORY, in gigabytes, or an eighth of this machine's memory.

    Raises:
        UserError: VAELINE_MEMORY is no number above 0.
    """
    given = os.environ.get("VAELINE_MEMORY")
    if given is None:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 8
    try:
        gigabytes = float(given)
    except ValueError:
        gigabytes = 0
    if not 0 < gigabytes < inf:
        raise UserError(f"VAELINE_MEMORY is {given!r}; give the gigabytes of images to hold in memory, e.g. 2.5.")
    return int(gigabytes * 1e9)


def peak() -> int:
    """Bytes of memory that this process has held at most, without what lies on a GPU.

    From Linux's own account of the process; elsewhere from `getrusage`, which on Linux would count what the parent process held.
    """
    with suppress(OSError, StopIteration):
        line = next(line for line in STATUS.read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def keep_memory() -> None:
    """Let this process keep the memory that it frees, where its C library is glibc; elsewhere nothing is done.

    By default each tensor of some megabytes is asked of the system, zeroed page by page, and handed back at the end of the
    operation that needed it. That took a third of an importance-sampled likelihood and an eighth of a convolution's training.
    """
    with suppress(OSError, AttributeError):
        tune = ctypes.CDLL(None).mallopt
        tune(M_MMAP_MAX, 0)
        tune(M_TRIM_THRESHOLD, -1)
