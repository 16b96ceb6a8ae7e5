"""The folders of runs: built, taken apart and found."""

from pathlib import Path

import pytest

from vaeline.runs.folder import RunKey, StudyFolder, folders_in, key_of, place_of, project_of, runs_in, studies_in


def test_a_run_lies_below_its_study() -> None:
    assert StudyFolder("digits").run("cvae", 3) == Path("results/digits/runs/cvae/seed-3")
    assert StudyFolder("digits", Path("/here")).run("cvae", 3) == Path("/here/results/digits/runs/cvae/seed-3")


@pytest.mark.parametrize("seed", [0, 12, 2**63 - 1])
def test_a_folder_gives_variant_seed_and_project_back(seed: int) -> None:
    run = StudyFolder("digits", Path("/here")).run("cvae_nf", seed)
    assert key_of(run) == RunKey("cvae_nf", seed) == ("cvae_nf", seed)
    assert project_of(run) == Path("/here")


@pytest.mark.parametrize("name", ["seed-", "seed-1.2", "seed-x", "1", "seed--1", "seed-00", "seed-01", "seed-\u0661"])
def test_another_folder_is_no_run(name: str) -> None:
    assert key_of(Path("results/digits/runs/cvae") / name) is None


def test_a_relative_or_former_run_lies_in_its_project_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    former = tmp_path / "results/digits/former/cvae/seed-0.2"
    former.mkdir(parents=True)
    assert project_of(former) == tmp_path
    monkeypatch.chdir(former.parent)
    assert project_of(Path("seed-0.2")) == tmp_path


def test_a_run_outside_of_projects_uses_the_current_folder(tmp_path: Path) -> None:
    assert project_of(tmp_path / "seed-0") == Path() == project_of(Path("/"))


def test_runs_are_found_in_order_and_other_folders_are_not(tmp_path: Path) -> None:
    study = StudyFolder("digits", tmp_path)
    for key in [("b", 10), ("b", 9), ("a", 1)]:
        study.run(*key).mkdir(parents=True)
    (study.runs / "a/seed-copy").mkdir()
    (study.runs / "a/notes").mkdir()
    assert list(runs_in(study.runs)) == [("a", 1), ("b", 9), ("b", 10)]
    assert all(path == study.run(*key) for key, path in runs_in(study.runs).items())
    assert study.runs / "a/seed-copy" in folders_in(study.runs) and len(folders_in(study.runs)) == 4
    assert studies_in(tmp_path) == ["digits"]


def test_the_place_of_a_run_is_known_only_among_the_runs_of_a_study() -> None:
    assert place_of(Path("results/digits/runs/cvae/seed-3")) == ("digits", RunKey("cvae", 3))
    for other in ("results/digits/former/cvae/seed-3", "cvae/seed-3", "results/digits/runs/cvae/copy", "/seed-3", "/"):
        assert place_of(Path(other)) is None
