"""Runs that the study no longer names are moved, never lost."""

from pathlib import Path

from tests.made_up import study, write_runs
from vaeline.runs.former_runs import move_former, move_former_trials


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


def test_the_choice_of_a_variant_goes_with_its_runs(tmp_path: Path) -> None:
    write_runs(tmp_path / "runs", {"one": [1.0], "gone": [3.0]})
    for variant in ("one", "gone"):
        (tmp_path / "runs" / variant / "choice.json").write_text(variant)
    move_former(tmp_path / "runs", study(("one",), (0,)).study, tmp_path / "former")
    assert [path.parent.name for path in (tmp_path / "runs").rglob("choice.json")] == ["one"]
    assert (tmp_path / "former/gone/choice.json").read_text() == "gone"
    assert not (tmp_path / "runs/gone").exists()


def test_trials_that_the_study_no_longer_names_are_moved(tmp_path: Path) -> None:
    for number in (0, 1, 10):
        (tmp_path / f"tuning/one/trial-{number}").mkdir(parents=True)
    assert move_former_trials(tmp_path / "tuning/one", [0, 10], tmp_path / "former/one") == [
        tmp_path / "former/one/trial-1"
    ]
    assert sorted(path.name for path in (tmp_path / "tuning/one").iterdir()) == ["trial-0", "trial-10"]
