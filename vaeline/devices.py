"""Where tensors live, with what arithmetic, and in what memory."""

import ctypes
from contextlib import suppress

import torch
from threadpoolctl import threadpool_limits

from vaeline.errors import UserError

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # in glibc's malloc.h


def device_of(setting: str) -> torch.device:
    """The device that `training.device` means on this machine; `auto` is a GPU where there is one.

    Raises:
        UserError: the device named is not there.
    """
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if setting == "auto":
        return torch.device(next(name for name in ("cuda", "mps", "cpu") if there[name]))
    if not there[setting]:
        found = ", ".join(name for name, is_there in there.items() if is_there)
        raise UserError(
            f"training.device is {setting!r}, which this machine has not; it has: {found}. Take one of them, or auto."
        )
    return torch.device(setting)


def fix_arithmetic(threads: int) -> None:
    """Make results depend on params alone: so many CPU threads, in NumPy's linear algebra too, and true 32-bit convolutions.

    Snakemake sets OMP_NUM_THREADS for a rule and DVC does not; sums over other numbers of threads differ in their last
    bits. GPUs round convolutions to 10-bit mantissas unless told not to. Denormal numbers become 0: a CPU takes up to forty
    times as long with them, most of a step where importance weights lie far apart.
    """
    torch.set_flush_denormal(True)  # first: threads to come inherit it
    torch.set_num_threads(threads)
    threadpool_limits(threads)
    torch.backends.cudnn.allow_tf32 = False


def keep_memory() -> None:
    """Let this process keep the memory that it frees, where its C library is glibc; elsewhere nothing is done.

    By default each tensor of some megabytes is asked of the system, zeroed page by page, and handed back at the end of the
    operation that needed it. That took a third of an importance-sampled likelihood and an eighth of a convolution's training.
    """
    with suppress(OSError, AttributeError):
        tune = ctypes.CDLL(None).mallopt
        tune(M_MMAP_MAX, 0)
        tune(M_TRIM_THRESHOLD, -1)
