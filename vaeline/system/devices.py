"""Where tensors live, and with what arithmetic."""

import os

import torch
from threadpoolctl import threadpool_limits

from vaeline.system.errors import UserError
from vaeline.system.memory import keep_memory


def device_of(setting: str) -> torch.device:
    """The device that `training.device` means on this machine; `auto` is a GPU where there is one.

    Raises:
        UserError: the device named is not there.
    """
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there["cuda"]:
        # Lightning has torch look for NVIDIA's driver anew whenever it is asked, as every step of an optimizer does.
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    if setting == "auto":
        return torch.device(next(name for name in ("cuda", "mps", "cpu") if there[name]))
    if not there[setting]:
        found = ", ".join(name for name, is_there in there.items() if is_there)
        raise UserError(
            f"training.device is {setting!r}, which this machine has not; it has: {found}. Take one of them, or auto."
        )
    return torch.device(setting)


def prepare_process(threads: int) -> None:
    """Before anything is computed: memory that is freed is kept, and results depend on params alone.

    That is, on so many CPU threads, in NumPy's linear algebra too, and on true 32-bit convolutions. Snakemake sets OMP_NUM_THREADS for a rule and DVC does not; sums over other numbers of threads differ in their last
    bits. GPUs round convolutions to 10-bit mantissas unless told not to. Denormal numbers become 0: a CPU takes up to forty
    times as long with them, most of a step where importance weights lie far apart.
    """
    keep_memory()
    torch.set_flush_denormal(True)  # before threads are made, which inherit it
    torch.set_num_threads(threads)
    threadpool_limits(threads)
    torch.backends.cudnn.allow_tf32 = False
