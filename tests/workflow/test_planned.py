"""What was planned, what was used and what was recorded are the same, or the run fails and nothing is certified."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from dvc.stage import PipelineStage

from pipeline_steps import closure, code_hashes
from tests.workflow.launched import Launched
from tests.workflow.scratch import DVC, SNAKEMAKE, Project, stages_of
from workflow import bridge, records

MODULE = "vaeline/models/likelihoods/optimal_sigma.py"
engines = pytest.mark.parametrize("command", [SNAKEMAKE, DVC], ids=["snakemake", "dvc"])
RESTORED = pytest.mark.slow(
    reason="the steps of both engines hold what they have loaded against the plan by the same check"
)


def widen(params: dict[str, Any]) -> None:
    params["variants"]["cvae"]["latent"] += 1


def samples(count: int) -> Any:
    return lambda params: params["evaluation"]["likelihood"].update(samples=count)


def start(project: Project, command: tuple[str, ...]) -> Launched:
    """A run that trains one variant and is held there. Its steps compare themselves with the plan, as real ones do."""
    project.edit(widen)
    options = ["all"] if command == SNAKEMAKE else []
    return project.start(*options, held_step=1, command=command, CHECKED="1")


def end(project: Project, run: Launched) -> list[str]:
    """Let the held step go on, see the run fail, and return the steps that began."""
    project.release()
    assert run.wait() != 0
    return project.ran_in_order()


def assert_trained_anew(project: Project, *steps: str) -> None:
    """Assert that neither engine certifies what the failed run left, and that the next run makes it."""
    assert project.status()
    assert "Nothing to be done" not in project.run("snakemake", "-n", "all")
    assert set(steps) <= set(project.snakemake(CHECKED="1"))
    assert project.settled()


@pytest.mark.slow(reason="an edit of a module between two steps is refused by the same check")
def test_snakemake_refuses_an_edit_that_is_undone_later(project: Project) -> None:
    run = start(project, SNAKEMAKE)
    project.edit(samples(37))
    project.release()
    assert run.wait() != 0
    assert project.ran_in_order() == ["train cvae 0", "sample cvae 0"]
    project.edit(samples(200))
    assert_trained_anew(project, "evaluate cvae 0", "report")


@pytest.mark.slow(reason="the check of a plan asks for the keys of its own step; tests/pipeline_steps try each")
def test_an_edit_of_another_variant_meanwhile_is_no_matter(project: Project) -> None:
    """The report and the hashes of the code read all variants, and are refused."""
    project.edit(widen)
    run = project.start("all", "--keep-going", held_step=1, CHECKED="1")
    project.edit(lambda params: params["variants"]["gaussian_cvae"].update(latent=3))
    assert end(project, run) == ["train cvae 0", "sample cvae 0", "evaluate cvae 0"]
    project.edit(lambda params: params["variants"]["gaussian_cvae"].update(latent=8))
    assert project.snakemake(CHECKED="1") == ["report"]
    assert project.settled()


@pytest.mark.parametrize("command", [SNAKEMAKE, pytest.param(DVC, marks=RESTORED)], ids=["snakemake", "dvc"])
def test_a_module_that_is_loaded_already_may_be_edited_and_restored(project: Project, command: tuple[str, ...]) -> None:
    run = start(project, command)
    module = project.folder / MODULE
    text = module.read_text()
    module.write_text(text + "\nADDED = 1\n")
    module.write_text(text)
    project.release()
    assert run.wait() == 0
    assert project.settled()


@engines
def test_a_module_that_is_edited_between_two_steps_is_refused(project: Project, command: tuple[str, ...]) -> None:
    project.edit(lambda params: params["training"].update(epochs=7))
    options = ["all"] if command == SNAKEMAKE else []
    run = project.start(*options, held_step=1, command=command, CHECKED="1")
    first = project.log()[0]
    module = (
        project.folder / "vaeline/models/posteriors/gaussian.py"
    )  # of both variants, which the held step has not read
    text = module.read_text()
    module.write_text(text + "\nADDED = 1\n")
    assert end(project, run) == [first]
    module.write_text(text)
    assert_trained_anew(project, first)


@pytest.mark.slow(reason="tests/pipeline_steps/test_plan_check.py refuses such code without an engine")
def test_code_that_code_json_does_not_name_is_refused_under_dvc(project: Project) -> None:
    project.edit(widen)
    with (project.folder / MODULE).open("a") as file:
        file.write("\nADDED = 1\n")
    said = project.run("dvc", "repro", "--single-item", "train@digits-cvae-0", fails=True, CHECKED="1")
    assert "run `python -m pipeline_steps.code`" in said
    assert project.repro(CHECKED="1") == of_cvae()


def of_cvae() -> list[str]:
    return sorted([*stages_of("cvae"), "report"])


def test_a_job_on_another_machine_needs_the_plan_of_its_run(project: Project) -> None:
    said = project.run("snakemake", "--mode", "remote", "--cores", "1", "report", fails=True)
    assert "requested by the workflow but undefined" in said and "VAELINE_PLANNED" in said and not project.log()


OTHER = "its files are of other values."


@pytest.mark.parametrize("change", ["parameter", "claim"])
def test_what_dvc_would_record_otherwise_is_not_recorded(
    project: Project, monkeypatch: pytest.MonkeyPatch, change: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """DVC looks at files and parameters when it records them, and a job may then have other ones than it ran with."""
    monkeypatch.chdir(project.folder)
    with hashed_in(project.folder):
        record_with(project, monkeypatch, change)
    recorded = yaml.safe_load(Path("dvc.lock").read_text())["stages"]
    assert "train@digits-gaussian_cvae-0" in recorded and "train@digits-cvae-0" not in recorded
    assert (OTHER in capsys.readouterr().err) == (change == "claim")


def test_an_edit_while_the_bridge_works_leaves_its_look_unkept(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have seen some stages before the edit, and others after it."""
    monkeypatch.chdir(project.folder)
    status = PipelineStage.status

    def edited(stage: PipelineStage, **keywords: Any) -> Any:
        if stage.name.startswith("train@digits-cvae"):
            project.edit(widen)
        return status(stage, **keywords)

    with hashed_in(project.folder), pytest.MonkeyPatch.context() as patch:
        patch.setattr(PipelineStage, "status", edited)
        records.main(record=False)
    assert not bridge.SEEN.exists()
    project.edit(narrow)
    assert project.settled()


@contextmanager
def hashed_in(folder: Path) -> Iterator[None]:
    """Within the block, this process hashes the code of a project."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(closure, "ROOT", folder)
        patch.setattr(code_hashes, "ROOT", folder)
        patch.setattr(closure, "CACHE", folder / ".code_cache/modules.json")
        forget_all()
        yield
    forget_all()


def forget_all() -> None:
    closure.forget()
    closure._memory.cache_clear()


def record_with(project: Project, monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    """Let the bridge record two trainings, of which one has changed, or is changed while DVC looks at it."""
    save = PipelineStage.save

    def edited(stage: PipelineStage, **keywords: Any) -> None:
        if change == "parameter" and stage.name.startswith("train@digits-cvae"):
            project.edit(widen)
            save(stage, **keywords)
            project.edit(narrow)
        else:
            save(stage, **keywords)

    monkeypatch.setattr(PipelineStage, "save", edited)
    monkeypatch.setattr(
        records,
        "says_other",
        lambda rule, wildcards, study: OTHER * ((rule, wildcards.get("variant"), change) == ("train", "cvae", "claim")),
    )
    lock = yaml.safe_load(Path("dvc.lock").read_text())
    for name in ("train@digits-cvae-0", "train@digits-gaussian_cvae-0"):
        del lock["stages"][name]
    Path("dvc.lock").write_text(yaml.safe_dump(lock))
    bridge.RUNNING.touch()
    os.utime(bridge.RUNNING, (0, 0))
    records.main(record=True)


def narrow(params: dict[str, Any]) -> None:
    params["variants"]["cvae"]["latent"] -= 1
