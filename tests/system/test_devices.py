"""The settings of `vaeline.system.devices`, in processes of their own, because settings stay."""

import os
import subprocess
import sys
import warnings

import pytest
import torch

from vaeline.system import devices
from vaeline.system.devices import SlowPrecision, check_processes, warn_if_slow
from vaeline.system.errors import UserError

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


@pytest.mark.parametrize("gpu", [True, False])
def test_only_a_process_that_is_prepared_without_a_gpu_looks_for_none(
    gpu: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for of, name in ((devices, "keep_memory"), (devices, "set_threads"), (torch, "set_flush_denormal")):
        monkeypatch.setattr(of, name, lambda *words: None)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    assert devices.device_of("cuda" if gpu else "cpu").type and os.environ["CUDA_VISIBLE_DEVICES"] == "0"
    devices.prepare_process(1)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == ("0" if gpu else "")


@pytest.mark.parametrize(
    ("device", "words"),
    [
        (
            "cpu",
            "each needs a thread, and training.threads is 2; set training.processes to 2 or less, or raise training.threads",
        ),
        ("cuda", "each needs a GPU, and this machine has 2; set training.processes to 2 or less"),
        ("mps", "each needs a GPU, and this machine has 1; set training.processes to 1 or less"),
    ],
)
def test_more_processes_than_devices_are_refused(device: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(UserError, match=words):
        check_processes(3, torch.device(device), 2)
    check_processes(1, torch.device(device), 1)
    if device != "mps":
        check_processes(2, torch.device(device), 2)


@pytest.mark.parametrize(
    ("precision", "device", "capability", "warns"),
    [
        ("bf16-mixed", "cpu", "AVX2", True),
        ("bf16-mixed", "cpu", "AVX512", False),
        ("bf16-mixed", "cuda", "AVX2", False),
        ("32-true", "cpu", "AVX2", False),
    ],
)
def test_a_processor_that_is_slow_in_16_bits_is_named(
    precision: str, device: str, capability: str, warns: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    with warnings.catch_warnings(record=True) as caught:
        warn_if_slow(precision, torch.device(device))
    assert [one.category for one in caught] == [SlowPrecision] * warns
    assert not warns or "set training.precision to 32-true" in str(caught[0].message)
