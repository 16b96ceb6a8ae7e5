"""Each engine accepts what the other ran, reruns what is stale, and keeps every training that is finished."""

import hashlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from dvc.dvcfile import Lockfile
from dvc.repo import Repo, lock_repo

from tests.workflow.launched import Launched
from tests.workflow.scratch import SHARED, Project, choices_of, stages_of
from workflow import bridge, records
from workflow.parameters_once import parsed_once

REPORT = "report"
EVERY = sorted([*SHARED, REPORT, *choices_of("gaussian_cvae", "cvae"), *stages_of("gaussian_cvae"), *stages_of("cvae")])


def widen(variant: str) -> Any:
    """An edit of one variant's parameters."""

    def change(params: dict[str, Any]) -> None:
        params["variants"][variant]["latent"] += 1

    return change


def narrow(variant: str) -> Any:
    """The edit that undoes `widen`."""

    def change(params: dict[str, Any]) -> None:
        params["variants"][variant]["latent"] -= 1

    return change


def checksums(project: Project) -> dict[str, str]:
    """The checksum of each model and each JSON file of results."""
    files = [path for path in (project.folder / "results").rglob("*") if path.suffix in (".safetensors", ".json")]
    return {str(path.relative_to(project.folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def of(variant: str) -> list[str]:
    """The steps that an edit of a variant makes stale, sorted."""
    return sorted([*stages_of(variant), REPORT])


ALL_RUNS = sorted([*stages_of("gaussian_cvae"), *of("cvae")])


def stopped(project: Project, stop: Callable[[Launched], None]) -> list[str]:
    """Change the epochs, run, and stop the run in its third step; returns the two steps that were finished."""
    project.edit(lambda params: params["training"].update(epochs=7))
    stop(project.start("all", held_step=3))
    project.release()
    return project.ran_in_order()[:-1]


def test_dvc_accepts_what_snakemake_ran(project: Project) -> None:
    assert project.settled()
    assert project.repro() == []


def test_snakemake_accepts_what_dvc_ran(empty_project: Project, finished: Project) -> None:
    assert empty_project.repro() == EVERY
    assert empty_project.settled()
    assert checksums(empty_project) == checksums(finished)


def test_snakemake_accepts_what_dvc_reran(project: Project) -> None:
    project.edit(widen("cvae"))
    assert project.repro() == of("cvae")
    assert project.settled()
    changed = json.loads(project.run("dvc", "metrics", "diff", "--json"))
    assert changed.keys() == {"results/digits/metrics.json"}
    assert changed["results/digits/metrics.json"].keys() == {"cvae.negative_elbo"}
    assert None not in changed["results/digits/metrics.json"]["cvae.negative_elbo"].values()
    project.edit(narrow("cvae"))
    assert project.snakemake() == of("cvae")
    assert project.settled()


def test_dvc_accepts_what_snakemake_reran_and_restores_the_former(project: Project) -> None:
    project.edit(widen("cvae"))
    assert project.snakemake() == of("cvae")
    assert project.settled()
    project.edit(narrow("cvae"))
    assert project.repro() == []  # DVC restores them from its run cache
    assert project.settled()


@pytest.mark.slow(reason="an experiment leaves the records of a run under DVC")
def test_snakemake_accepts_an_experiment(project: Project) -> None:
    project.run("dvc", "exp", "run", "--set-param", "variants.cvae.latent=4", "--name", "narrower")
    assert project.ran() == of("cvae")
    assert "narrower" in project.run("dvc", "exp", "list")
    assert project.settled()


@pytest.mark.slow(reason="an edit of a tuned variant reruns its steps alone, by the same keys")
def test_a_variants_own_training_reruns_only_that_variant(project: Project) -> None:
    project.edit(lambda params: params["variants"]["cvae"]["training"].update(learning_rate=0.1))
    assert project.snakemake() == of("cvae")
    assert project.settled()
    project.edit(lambda params: params["variants"]["cvae"]["training"].update(learning_rate=0.2))
    assert project.repro() == of("cvae")
    assert project.settled()


@pytest.mark.slow(reason="switching studies and back is such an edit")
def test_an_edit_undone_before_any_run_leaves_nothing_to_do(project: Project) -> None:
    project.edit(widen("cvae"))
    project.repro()
    before = checksums(project)
    project.edit(narrow("cvae"))
    assert "Training cvae" in project.run("snakemake", "-n", "all")
    project.edit(widen("cvae"))
    assert project.settled()
    assert checksums(project) == before


def test_edited_code_reruns_the_variants_that_use_it(project: Project) -> None:
    likelihood = project.folder / "vaeline/models/likelihoods/optimal_sigma.py"
    likelihood.write_text(likelihood.read_text() + "\nADDED = 1\n")
    assert project.snakemake() == of("cvae")
    assert project.settled()
    likelihood.write_text(likelihood.read_text() + "\nADDED = 2\n")
    assert project.repro() == stages_of("cvae")  # the bytes are the same, so DVC does not rerun the report
    assert project.settled()


def test_comments_and_new_files_rerun_only_the_code_stage(project: Project) -> None:
    with (project.folder / "vaeline/models/model.py").open("a") as file:
        file.write("# Nothing new.\n")
    (project.folder / "vaeline/models/priors/another.py").write_text("ANOTHER = True\n")
    assert project.snakemake() == []
    assert project.settled()


@pytest.mark.slow(reason="other settings in the records rerun their step in the same way")
def test_another_command_in_dvcs_records_reruns_its_step_once(project: Project) -> None:
    lock = project.folder / "dvc.lock"
    lock.write_text(lock.read_text().replace("evaluate --variant cvae --seed 0", "evaluate --variant other --seed 0"))
    assert "evaluate cvae 0" in project.snakemake()
    assert project.settled()


@pytest.mark.slow(reason="a variant that failed under DVC tries the same records")
def test_each_engine_runs_what_a_failed_variant_left_missing(project: Project, tmp_path: Path) -> None:
    project.edit(lambda params: params["training"].update(epochs=7))
    project.snakemake("--keep-going", "all", FAILING="cvae", fails=True)
    other = project.copy(tmp_path / "other")
    assert project.snakemake() == of("cvae")
    assert project.settled()
    assert other.repro() == of("cvae")


@pytest.mark.slow(reason="a killed run leaves steps missing too")
def test_snakemake_runs_what_dvc_left_missing(project: Project) -> None:
    project.edit(lambda params: params["training"].update(epochs=7))
    project.repro("--keep-going", FAILING="cvae", fails=True)
    assert project.snakemake() == of("cvae")
    assert project.settled()


def test_a_killed_run_continues_where_it_stopped(project: Project, tmp_path: Path) -> None:
    done = stopped(project, Launched.kill)
    other = project.copy(tmp_path / "other")
    assert project.snakemake() == sorted(set(ALL_RUNS) - set(done))
    assert project.settled()
    assert set(ALL_RUNS) - set(done) <= set(other.repro()) <= set(ALL_RUNS)
    assert other.settled()
    assert checksums(other) == checksums(project)


@pytest.mark.slow(reason="newer data after a kill try the same records")
def test_a_killed_run_does_not_overwrite_later_dvc_records(project: Project) -> None:
    stopped(project, Launched.kill)
    project.edit(lambda params: params["training"].update(epochs=8))
    project.repro()
    project.edit(lambda params: params["training"].update(epochs=7))
    assert project.snakemake() == ALL_RUNS
    assert project.settled()


def test_a_killed_run_is_not_recorded_for_newer_data(project: Project) -> None:
    done = stopped(project, Launched.kill)
    project.edit(lambda params: params["dataset"].update(size=9))
    project.repro("--single-item", "preprocess@digits")
    assert set(done) <= set(project.snakemake())


def test_an_interrupted_run_records_what_it_finished(project: Project) -> None:
    done = stopped(project, Launched.interrupt)
    assert not set(done) & set(project.repro())


def test_an_interrupt_while_recording_keeps_the_lock_file(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(lockfile: Any, stages: Any) -> None:
        Path(lockfile.path).write_text("stages:\n  half")
        raise KeyboardInterrupt

    monkeypatch.chdir(project.folder)
    monkeypatch.setattr(Lockfile, "dump_stages", interrupted)
    before = Path("dvc.lock").read_bytes()
    with records.planned() as workflow, Repo(".") as repo, lock_repo(repo):
        stages = {out.def_path: stage for stage in repo.index.stages for out in stage.outs}
        finished = {job: stages[job.output[0]] for job in workflow.dag.jobs if job.output}
        with pytest.raises(KeyboardInterrupt):
            records._record(repo, workflow, finished, since=0.0)
    assert Path("dvc.lock").read_bytes() == before
    assert not list(project.folder.glob(".dvc.lock*"))


def test_a_run_during_an_edit_is_not_certified(project: Project) -> None:
    project.edit(widen("cvae"))
    run = project.start("all", held_step=1)
    project.edit(widen("cvae"))
    project.release()
    run.wait()
    project.ran()
    assert project.status("train@digits-cvae-0")
    assert project.snakemake() == of("cvae")
    assert project.settled()


def test_files_changed_by_hand_are_not_certified(project: Project) -> None:
    model = project.folder / "results/digits/runs/cvae/seed-0/model.safetensors"
    before = checksums(project)
    model.write_text("Not a model.")
    project.run("snakemake", "--cores", "1", "--touch", "all")
    assert project.snakemake() == of("cvae")
    assert checksums(project) == before


def test_a_clone_that_pulls_has_nothing_to_do(project: Project, tmp_path: Path) -> None:
    clone = project.clone(tmp_path / "clone")
    clone.run("dvc", "pull")
    (clone.folder / "data/digits.h5").touch()  # as if it had arrived last
    assert clone.settled()
    clone.edit(widen("cvae"))
    assert clone.snakemake() == of("cvae")
    assert clone.settled()


@pytest.mark.slow(reason="a clone that pulls reads the same records")
def test_a_clone_without_pull_runs_everything(project: Project, tmp_path: Path) -> None:
    clone = project.clone(tmp_path / "clone")
    assert clone.snakemake() == EVERY
    assert clone.settled()
    assert checksums(clone) == checksums(project)


@pytest.mark.slow(reason="switching studies removes variants too")
def test_a_removed_variant_leaves_nothing_to_do(project: Project, tmp_path: Path) -> None:
    project.edit(lambda params: params["study"]["variants"].remove("cvae"))
    assert project.snakemake() == [REPORT]
    assert project.settled()
    project.commit()
    clone = project.clone(tmp_path / "clone")
    clone.run("dvc", "pull")
    assert clone.settled()


def test_switching_studies_and_back_leaves_nothing_to_do(project: Project) -> None:
    digits = (project.folder / "params.yaml").read_bytes()
    project.edit(lambda params: params["study"].update(name="other", variants=["cvae"]))
    assert project.snakemake() == sorted([*of("cvae"), *choices_of("cvae")])
    other = (project.folder / "params.yaml").read_bytes()
    for study in (digits, other):
        (project.folder / "params.yaml").write_bytes(study)
        project.run("dvc", "checkout")
        assert project.settled()


def test_wrong_parameters_are_reported(project: Project) -> None:
    project.edit(lambda params: params["training"].update(epochs=0))
    said = project.run("snakemake", "-n", "all", fails=True)
    assert "params.yaml: training.epochs is 0" in said
    assert "Traceback" not in said


def test_a_dry_run_does_not_disturb_a_running_one(project: Project) -> None:
    project.edit(widen("cvae"))
    run = project.start("all", held_step=1)
    project.run("snakemake", "-n", "all")
    assert (project.folder / bridge.RUNNING).exists()
    project.release()
    assert run.wait() == 0
    assert project.settled()


def test_a_late_bridge_leaves_a_live_run_alone(project: Project) -> None:
    seen = (project.folder / bridge.SEEN).read_bytes()
    project.edit(widen("cvae"))
    (project.folder / bridge.RUNNING).touch()
    project.run(sys.executable, "-m", "workflow.records")
    assert (project.folder / bridge.RUNNING).exists()
    assert (project.folder / bridge.SEEN).read_bytes() == seen
    project.run(sys.executable, "-m", "workflow.records", "--record")
    assert not (project.folder / bridge.RUNNING).exists()


def test_an_edit_while_the_bridge_looks_is_noticed(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.folder)
    with parsed_once(), Repo(".") as repo, lock_repo(repo):
        [stage] = repo.stage.collect("train@digits-cvae-0")
        found = [bool(stage.status())]
        for edit in (widen, narrow):
            project.edit(edit("cvae"))
            found.append(bool(stage.status()))
    assert found == [False, True, False]


def test_the_bridge_does_nothing_without_changes(project: Project) -> None:
    seen = project.folder / bridge.SEEN
    before = seen.stat().st_mtime_ns
    assert project.settled()
    assert seen.stat().st_mtime_ns == before


@pytest.mark.parametrize("time_of_link", [5, 9])
def test_an_input_behind_a_link_is_as_new_as_the_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, time_of_link: int
) -> None:
    target, link, made = tmp_path / "target", tmp_path / "link", tmp_path / "made"
    for path, when in {target: 3, made: 7}.items():
        path.write_text("")
        os.utime(path, (when, when))
    link.symlink_to(target)
    os.utime(link, (time_of_link, time_of_link), follow_symlinks=False)
    known = SimpleNamespace(
        has_metadata=lambda job: True, metadata=lambda path: SimpleNamespace(endtime=7.0),
        params_changed=lambda job: False, code_changed=lambda job: [],
    )  # fmt: skip
    job: Any = SimpleNamespace(rule=SimpleNamespace(name="train"), input=[str(link)], output=[str(made)])
    monkeypatch.setattr(records, "_contradiction", lambda job: "")
    workflow: Any = SimpleNamespace(persistence=known)
    assert records._finished(workflow, job, since=4.0) == (time_of_link == 5)
