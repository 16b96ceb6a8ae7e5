"""The device of the tensors, and the settings of its arithmetic."""

import os

import torch
from threadpoolctl import threadpool_limits

from vaeline.system.errors import UserError
from vaeline.system.memory import keep_memory


def device_of(setting: str) -> torch.device:
    """The device that `training.device` means on this machine; `auto` is a GPU if there is one.

    Raises:
        UserError: this machine does not have the device.
    """
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there["cuda"]:
        # Without this, torch looks for NVIDIA's driver again in every step of an optimizer, because Lightning asks for it.
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    if setting == "auto":
        return torch.device(next(name for name in ("cuda", "mps", "cpu") if there[name]))
    if not there[setting]:
        found = ", ".join(name for name, is_there in there.items() if is_there)
        raise UserError(
            f"training.device is {setting!r}, which this machine does not have; it has: {found}. Use one of them, or auto."
        )
    return torch.device(setting)


def with_float64(device: torch.device) -> torch.device:
    """The device, or the CPU in place of one that has no 64-bit numbers, which likelihoods need."""
    return torch.device("cpu") if device.type == "mps" else device


def prepare_process(threads: int) -> None:
    """Set up a process before it computes: freed memory is kept, and results depend on the parameters alone.

    The number of CPU threads is fixed, also for NumPy's linear algebra: Snakemake sets OMP_NUM_THREADS for a rule and DVC
    does not, and sums over different numbers of threads differ in their last bits. GPUs compute true 32-bit convolutions;
    by default they round to 10-bit mantissas. Denormal numbers become 0, because a CPU takes up to forty times as long
    with them; where importance weights are far apart, that is most of a step.

    Args:
        threads: of the CPU.
    """
    keep_memory()
    torch.set_flush_denormal(True)  # before threads start, because they inherit it
    torch.set_num_threads(threads)
    threadpool_limits(threads)
    torch.backends.cudnn.allow_tf32 = False
