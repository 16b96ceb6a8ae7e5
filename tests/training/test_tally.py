"""Sums of the training terms: means over images, the step that diverged, and no memory that grows with the steps."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from vaeline.system.errors import Diverged
from vaeline.training.checkpoints import Checkpoints
from vaeline.training.tally import HELD, Tally


def tally(folder: Path) -> Tally:
    return Tally(2, Checkpoints(folder, {}))


def test_the_means_are_over_images_also_of_more_steps_than_were_given_room(tmp_path: Path) -> None:
    found, images, values = tally(tmp_path), [], []
    for step in range(2 * HELD + 3):
        images.append(1 + step % 4)
        values.append(float(step))
        found.add(images[-1], {"a": torch.tensor(values[-1], requires_grad=True), "b": torch.tensor(-values[-1])})
        if step == 5:
            found.read()
    mean = sum(n * value for n, value in zip(images, values, strict=True)) / sum(images)
    assert found.read() == pytest.approx({"a": mean, "b": -mean})
    assert (found.steps, found.images) == (len(images), sum(images))


def test_the_step_that_diverged_is_named(tmp_path: Path) -> None:
    found = tally(tmp_path)
    for value in (1.0, 2.0):
        found.add(4, {"a": torch.tensor(value)})
    found.read()
    for value in (3.0, float("nan"), 4.0):
        found.add(4, {"a": torch.tensor(value)})
    with pytest.raises(Diverged, match="at epoch 2, step 4: a nan"):
        found.read()


TRAINED = """
import torch
from vaeline.models.gaussian import log_prob_each_dimension
from vaeline.system.devices import prepare_process
from vaeline.system.memory import peak
from vaeline.training.tally import Tally

prepare_process(1)
mean, log_var = torch.randn(500, 10, requires_grad=True), torch.zeros(500, 10, requires_grad=True)
tally, peaks = Tally(1, None), []
for _ in range(25):
    z = mean + torch.randn(500, 10) * log_var.exp()
    each = log_prob_each_dimension(z.unsqueeze(1), mean, log_var)  # 10 MB
    terms = {str(n): (each + n).logsumexp(1).sum(1).mean() for n in range(3)}
    sum(terms.values()).backward()
    tally.add(500, terms)
    peaks.append(peak())
print((peaks[-1] - peaks[4]) / 10**6)
"""


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="the memory that a step frees is kept where the C library is glibc"
)
def test_memory_does_not_grow_with_the_steps_that_were_not_read() -> None:
    """Each step used to add as much as its largest tensor: 240 MB here, gigabytes in batches of 2,048."""
    command = [sys.executable, "-W", "ignore", "-c", TRAINED]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert float(ran.stdout) < 120
