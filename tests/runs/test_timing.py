"""timing.json: entries are added and read back."""

import platform
from datetime import date
from pathlib import Path

import pytest

from vaeline.runs.timing import note_time, read_times
from vaeline.system.errors import UserError


def test_entries_of_several_steps_stand_side_by_side(tmp_path: Path) -> None:
    path = tmp_path / "run/timing.json"
    assert read_times(path) == {}
    note_time(path, "train", 12.3456)
    note_time(path, "sample", 1.0)
    note_time(path, "sample", 2.0)
    found = read_times(path)
    assert {step: time.seconds for step, time in found.items()} == {"train": 12.35, "sample": 2.0}
    assert found["train"].host == platform.node() and (found["train"].peak_bytes or 0) > 2**20
    assert date.fromisoformat(found["train"].finished or "") and " core" in (found["train"].hardware or "")


@pytest.mark.parametrize("content", ["half {", "[1, 2]"])
def test_a_damaged_file_is_refused_when_read_and_replaced_when_written(tmp_path: Path, content: str) -> None:
    path = tmp_path / "timing.json"
    path.write_text(content)
    with pytest.raises(UserError, match="timing.json is damaged"):
        read_times(path)
    note_time(path, "train", 1.0)
    assert read_times(path).keys() == {"train"}
