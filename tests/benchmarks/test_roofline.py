"""What the roofline says of a device that it cannot measure."""

import pytest
import torch
from click.testing import CliRunner

from benchmarks.roofline import main


@pytest.mark.parametrize(
    ("device", "words"),
    [
        ("gpu", "'gpu' is not one of 'auto', 'cpu', 'cuda', 'mps'."),
        ("mps", "--device is 'mps', which this machine does not have; it has: cpu. Use one of them, or auto."),
    ],
)
def test_a_device_that_is_not_there_is_named_in_a_sentence(
    device: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for of in (torch.cuda, torch.backends.mps):
        monkeypatch.setattr(of, "is_available", lambda: False)
    ran = CliRunner().invoke(main, ["--device", device])
    assert ran.exit_code and words in ran.output and isinstance(ran.exception, SystemExit)
