"""What a process computes on, in words."""

from pathlib import Path

import pytest

from vaeline.system import hardware


def test_the_processor_is_named_with_its_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nmodel name\t: Some  CPU @ 3 GHz\n\nprocessor\t: 1\n")
    monkeypatch.setattr(hardware, "CPUS", tmp_path / "cpuinfo")
    monkeypatch.setattr(hardware, "cores", lambda: 1)
    assert hardware._processor() == "Some CPU @ 3 GHz, 1 core"
    monkeypatch.setattr(hardware, "CPUS", tmp_path / "nowhere")
    assert hardware._processor().endswith(", 1 core")
