"""Runs that the study no longer names are moved, never lost."""

from pathlib import Path

from tests.made_up import study, write_runs
from vaeline.runs.former_runs import move_former


def test_runs_the_study_no_longer_names_are_moved(tmp_path: Path) -> None:
    runs, former = tmp_path / "runs", tmp_path / "former"
    write_runs(runs, {"one": [1.0, 2.0], "gone": [3.0]})
    moved = move_former(runs, study(("one",), (0,)).study, former)
    assert moved == [former / "gone" / "seed-0", former / "one" / "seed-1"]
    assert all((run / "metrics.json").exists() for run in moved)
    assert sorted(run.name for run in runs.rglob("seed-*")) == ["seed-0"]
    assert not (runs / "gone").exists()


def test_a_former_run_does_not_overwrite_another(tmp_path: Path) -> None:
    for nll in (1.0, 2.0, 3.0):
        write_runs(tmp_path / "runs", {"gone": [nll]})
        move_former(tmp_path / "runs", study(("one",), (0,)).study, tmp_path / "former")
    assert sorted(path.name for path in (tmp_path / "former" / "gone").iterdir()) == ["seed-0", "seed-0.2", "seed-0.3"]
