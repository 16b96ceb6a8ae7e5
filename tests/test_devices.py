"""What `vaeline.devices` fixes for a process; in processes of their own, for what is fixed stays."""

import platform
import subprocess
import sys

import pytest

FLUSHED = """
import torch
from vaeline.devices import fix_arithmetic

fix_arithmetic(2)
tiny = torch.full((1_000_000,), 1e-30)
print(int((tiny * 1e-10).count_nonzero()))
"""


FAULTS = """
import resource

import torch
from vaeline.devices import keep_memory

keep_memory()
torch.set_num_threads(1)
faults = []
for _ in range(25):  # of which the first few make room
    torch.ones(12_000_000)  # 11,719 pages
    faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
print(faults[-1] - faults[14])
"""


def said(code: str) -> int:
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return int(ran.stdout)


def test_denormal_numbers_are_zero_on_every_thread() -> None:
    assert said(FLUSHED) == 0


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="memory is kept where the C library is glibc")
def test_memory_that_is_freed_is_used_again() -> None:
    assert said(FAULTS) < 2 * 11_719
