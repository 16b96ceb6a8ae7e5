"""Time and memory that a study needed."""

from pathlib import Path

import pytest

from tests.made_up import study, write_runs
from vaeline.report import results
from vaeline.report.costs import Cost, costs
from vaeline.system.errors import UserError
from vaeline.system.files import write_json


def test_stage_times_are_summed_and_the_largest_peak_kept(tmp_path: Path) -> None:
    write_runs(tmp_path, {"one": [1.0, 2.0, 3.0]})
    for seed, noted in enumerate(({"seconds": 3.0, "peak_bytes": 7}, {"seconds": 4.5, "peak_bytes": 9})):
        write_json(tmp_path / "one" / f"seed-{seed}" / "timing.json", {"train": {"host": "a", **noted}})
    notes = {
        "reference.inception": {"seconds": 99.0, "peak_bytes": 99, "host": "a"},
        "reference.classifier": {"seconds": 2.0, "peak_bytes": 5, "host": "a"},
        "download": {"seconds": 1.0, "host": "a"},
    }
    write_json(tmp_path / "dots.timing.json", notes)
    for trial, seconds in enumerate((1.5, 2.0)):
        (tmp_path / f"trial-{trial}").mkdir()
        noted = {"trial": {"host": "a", "seconds": seconds, "peak_bytes": 6}}
        write_json(tmp_path / f"trial-{trial}/timing.json", noted)
    found = costs(
        results.read(tmp_path, study(("one",), (0, 1, 2))),
        tmp_path / "dots.timing.json",
        "classifier",
        [tmp_path / f"trial-{trial}/timing.json" for trial in range(3)],
    )
    assert list(found.items()) == [
        ("download", Cost(1, 1.0, None)), ("reference", Cost(1, 2.0, 5)), ("trial", Cost(2, 3.5, 6)),
        ("train", Cost(2, 7.5, 9)),
    ]  # fmt: skip


def test_a_study_without_timings_has_no_costs(tmp_path: Path) -> None:
    write_runs(tmp_path, {"one": [1.0]})
    assert costs(results.read(tmp_path, study(("one",), (0,))), tmp_path / "dots.timing.json", "classifier") == {}


def test_damaged_timing_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "dots.timing.json").write_text('{"download": {"seconds": "x"}}')
    write_runs(tmp_path / "runs", {"one": [1.0]})
    with pytest.raises(UserError, match="dots.timing.json is damaged"):
        costs(results.read(tmp_path / "runs", study(("one",), (0,))), tmp_path / "dots.timing.json", "classifier")
