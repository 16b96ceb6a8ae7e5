"""What `vaeline.devices` fixes for a process."""

import subprocess
import sys

FLUSHED = """
import torch
from vaeline.devices import fix_arithmetic

fix_arithmetic(2)
tiny = torch.full((1_000_000,), 1e-30)
print(int((tiny * 1e-10).count_nonzero()))
"""


def test_denormal_numbers_are_zero_on_every_thread() -> None:
    """In a process of its own, for what is fixed stays."""
    ran = subprocess.run([sys.executable, "-c", FLUSHED], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "0"
