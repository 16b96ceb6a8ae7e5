"""A tuned study under both engines: each accepts what the other ran, and only what an edit concerns runs again."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.workflow.launcher import Launcher
from tests.workflow.scratch import SHARED, Project, choices_of, stages_of
from tests.workflow.test_end_to_end import both_engines, checksums

VARIANTS = ("gaussian_cvae", "cvae")
SPACE = {"training.learning_rate": {"log": [0.0001, 0.01]}}


def trials(count: int) -> Any:
    """An edit that tunes each variant with so many trials."""

    def change(params: dict[str, Any]) -> None:
        params["tuning"].update(trials=list(range(count)), epochs=2, space=SPACE)

    return change


def of(*variants: str, trials: int = 2) -> list[str]:
    """The steps that an edit of variants makes stale if they are tuned, sorted."""
    found = [step for variant in variants for step in (*stages_of(variant), f"choose {variant}")]
    return sorted(
        [*found, *(f"trial {variant} {number}" for variant in variants for number in range(trials)), "report"]
    )


EVERY = sorted([*of(*VARIANTS), *SHARED, *(f"design {variant}" for variant in VARIANTS)])


def widen(variant: str) -> Any:
    def change(params: dict[str, Any]) -> None:
        params["variants"][variant]["latent"] += 1

    return change


@pytest.fixture(scope="session")
def tuned(fresh: Project) -> Project:
    """A tuned project that Snakemake has run to the end; tests change copies only."""
    project = fresh.copy(fresh.folder.with_name("tuned"))
    project.edit(trials(2))
    assert project.snakemake() == EVERY
    return project


def test_dvc_accepts_a_study_that_snakemake_tuned(tuned: Project, tmp_path: Path) -> None:
    project = tuned.copy(tmp_path / "project")
    assert project.settled()
    assert project.repro() == []


def test_snakemake_accepts_a_study_that_dvc_tuned(tuned: Project, empty_project: Project) -> None:
    empty_project.edit(trials(2))
    assert empty_project.repro() == EVERY
    assert empty_project.settled()
    one, other = (yaml.safe_load((project.folder / "dvc.lock").read_text()) for project in (tuned, empty_project))
    assert one == other


def test_an_edit_of_a_variant_runs_only_its_trials_again(tuned: Project, tmp_path: Path) -> None:
    project, other = tuned.copy(tmp_path / "project"), tuned.copy(tmp_path / "other")
    for each in (project, other):
        each.edit(widen("cvae"))
    assert project.snakemake() == of("cvae") and project.settled()
    assert other.repro() == of("cvae") and other.settled()


@pytest.mark.slow(reason="an edit of a variant keeps the trials of others in the same way")
def test_more_trials_keep_those_that_were_run(tuned: Project, tmp_path: Path) -> None:
    project, other = tuned.copy(tmp_path / "project"), tuned.copy(tmp_path / "other")
    added = [step for variant in VARIANTS for step in (f"design {variant}", f"trial {variant} 2")]
    expected = sorted([*added, *of(*VARIANTS, trials=0)])
    for each in (project, other):
        each.edit(trials(3))
    assert project.snakemake() == expected and project.settled()
    assert other.repro() == expected and other.settled()


@pytest.mark.slow(reason="the edit of a variant stales trials and choices through the same keys")
def test_tuning_that_is_switched_off_chooses_and_trains_anew(tuned: Project, tmp_path: Path) -> None:
    project = tuned.copy(tmp_path / "project")
    project.edit(trials(0))
    assert project.snakemake() == sorted([*of(*VARIANTS, trials=0), *(f"design {variant}" for variant in VARIANTS)])
    assert project.settled()


def test_a_study_without_trials_designs_and_chooses_nothing(fresh: Project, finished: Project) -> None:
    assert not list((finished.folder / "results/digits/tuning").rglob("trial-*"))
    assert {path.parent.name for path in finished.folder.glob("results/digits/runs/*/choice.json")} == set(VARIANTS)
    assert sorted(choices_of(*VARIANTS)) == sorted(
        f"{step} {each}" for step in ("choose", "design") for each in VARIANTS
    )


def shorten(params: dict[str, Any]) -> None:
    """Tune three variants with two trials of two epochs, on 150 images."""
    trials(2)(params)
    params["study"].update(seeds=[0])
    params["dataset"].update(limit=150)
    params["training"].update(epochs=2)
    params["classifier"].update(epochs=1)
    params["evaluation"]["likelihood"].update(samples=10, budget=0)
    params["evaluation"].update(bound_samples=1)


@pytest.mark.slow(reason="fifty real steps; stubs and the steps by themselves are quicker")
def test_both_engines_tune_three_variants_to_the_same_bytes(
    sources: Project, launcher: Launcher, tmp_path: Path
) -> None:
    one = both_engines(sources, tmp_path, launcher, shorten)
    assert len([name for name in checksums(one) if name.endswith("trial.json")]) == 6
    assert "Tuning" in (one.folder / "results/digits/report.html").read_text(encoding="utf-8")
