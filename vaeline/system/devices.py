"""The device of the tensors, and the settings of its arithmetic."""

import os
import warnings

import torch
from threadpoolctl import threadpool_limits

from vaeline.system.errors import UserError
from vaeline.system.memory import keep_memory


class SlowPrecision(UserWarning):
    """A training in 16 bits on a processor that is faster in 32."""


def device_of(setting: str, name: str = "training.device") -> torch.device:
    """The device that a setting means on this machine; `auto` is a GPU if there is one.

    Args:
        setting: auto, cpu, cuda or mps.
        name: of the setting.

    Raises:
        UserError: this machine does not have the device.
    """
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if setting == "auto":
        return torch.device(next(name for name in ("cuda", "mps", "cpu") if there[name]))
    if not there[setting]:
        found = ", ".join(name for name, is_there in there.items() if is_there)
        raise UserError(
            f"{name} is {setting!r}, which this machine does not have; it has: {found}. Use one of them, or auto."
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
    set_threads(threads)
    torch.backends.cudnn.allow_tf32 = False
    if not torch.cuda.is_available():
        # Without this, torch looks for NVIDIA's driver again in every step of an optimizer, because Lightning asks for it.
        os.environ["CUDA_VISIBLE_DEVICES"] = ""


def set_threads(threads: int) -> None:
    """Compute with this many threads of the CPU from now on."""
    torch.set_num_threads(threads)
    threadpool_limits(threads)


def check_processes(processes: int, device: torch.device, threads: int) -> None:
    """Check that each process of a training can have a device of its own, or a thread of the CPU.

    Raises:
        UserError: there are too few.
    """
    on_cpu = device.type == "cpu"
    there = {"cpu": threads, "cuda": torch.cuda.device_count()}.get(device.type, 1)
    if processes <= max(there, 1):
        return
    need = "a thread, and training.threads is" if on_cpu else "a GPU, and this machine has"
    raise UserError(
        f"training.processes is {processes}, but each needs {need} {there}; set training.processes to {there} or less"
        f"{', or raise training.threads' if on_cpu else ''}."
    )


def warn_if_slow(precision: str, device: torch.device) -> None:
    """Warn of a precision of 16 bits on a processor without AVX-512, where torch emulates it (the race `step_bf16`)."""
    if precision == "bf16-mixed" and device.type == "cpu" and torch.backends.cpu.get_cpu_capability() == "AVX2":
        warnings.warn(
            "training.precision is bf16-mixed, which this processor computes slower than 32 bits, since it has no AVX-512: steps of a "
            "convolutional network took 20 times as long on one like it; set training.precision to 32-true",
            SlowPrecision,
            stacklevel=2,
        )


def of_process(device: torch.device, number: int) -> torch.device:
    """The device of a training's process of a number, from 0."""
    return torch.device("cuda", number) if device.type == "cuda" else device
