"""What a process computes on, in words for people: the processor with the cores that the process may use, and its GPU."""

import platform
import sys
from contextlib import suppress
from pathlib import Path

from vaeline.system.background import cores

CPUS = Path("/proc/cpuinfo")


def hardware() -> str:
    """The processor and, if this process has used one through torch, the GPU: `AMD EPYC 7R32, 2 cores`. Imports nothing."""
    return " and ".join(filter(None, [_processor(), _gpu()]))


def _processor() -> str:
    count = cores()
    return f"{_name() or platform.machine()}, {count} core{'s' if count > 1 else ''}"


def _name() -> str:
    """The processor's name. Linux has it in a file; other systems say at least its family."""
    with suppress(OSError):
        for line in CPUS.read_text(encoding="utf-8", errors="replace").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                return " ".join(value.split())
    return platform.processor()


def _gpu() -> str:
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return ""
    return str(torch.cuda.get_device_name())
