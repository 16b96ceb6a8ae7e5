"""The settings of `vaeline.system.devices`, in processes of their own, because settings stay."""

import subprocess
import sys

FLUSHED = """
import torch
from vaeline.system.devices import prepare_process

prepare_process(2)
tiny = torch.full((1_000_000,), 1e-30)
print(int((tiny * 1e-10).count_nonzero()))
"""


def said(code: str) -> int:
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return int(ran.stdout)


def test_denormal_numbers_are_zero_on_every_thread() -> None:
    assert said(FLUSHED) == 0
