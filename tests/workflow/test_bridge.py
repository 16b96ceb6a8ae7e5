"""What one engine ran, the other accepts; stale results are never certified; a finished training is never lost."""

import hashlib
import json
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from dvc.dvcfile import Lockfile
from dvc.repo import Repo, lock_repo

from tests.workflow.scratch import SHARED, Project, kill_group, stages_of
from workflow import bridge

REPORT = "report"
EVERY = sorted([*SHARED, REPORT, *stages_of("gaussian_cvae"), *stages_of("cvae")])


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
    """Checksums of all models and metrics."""
    files = [path for path in (project.folder / "results").rglob("*") if path.suffix in (".safetensors", ".json")]
    return {str(path.relative_to(project.folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def of(variant: str) -> list[str]:
    """What an edit of a variant makes stale, sorted."""
    return sorted([*stages_of(variant), REPORT])


ALL_RUNS = sorted([*stages_of("gaussian_cvae"), *of("cvae")])


def stopped(project: Project, number: signal.Signals) -> list[str]:
    """Stop a run of all that depends on the epochs when some of it is done; what was done."""
    project.edit(lambda params: params["training"].update(epochs=7))
    run = project.start("snakemake", "--cores", "1", "all", SECONDS_EACH="0.3")
    project.wait_for(3, run)
    kill_group(run, number)
    done = project.log()[:-1]
    project.ran()
    return done


def test_dvc_accepts_what_snakemake_ran(project: Project) -> None:
    assert project.settled()
    assert project.repro() == []


def test_snakemake_accepts_what_dvc_ran(empty_project: Project, finished: Project) -> None:
    assert empty_project.repro() == EVERY
    assert empty_project.settled()
    assert checksums(empty_project) == checksums(finished)


def test_snakemake_accepts_what_dvc_reran_and_knows_what_has_gone_stale(project: Project) -> None:
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


def test_dvc_accepts_what_snakemake_reran_and_snakemake_what_dvc_restores(project: Project) -> None:
    project.edit(widen("cvae"))
    assert project.snakemake() == of("cvae")
    assert project.settled()
    project.edit(narrow("cvae"))
    assert project.repro() == []  # out of its run cache
    assert project.settled()


def test_snakemake_accepts_an_experiment(project: Project) -> None:
    project.run("dvc", "exp", "run", "--set-param", "variants.cvae.latent=4", "--name", "narrower")
    assert project.ran() == of("cvae")
    assert "narrower" in project.run("dvc", "exp", "list")
    assert project.settled()


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
    assert project.repro() == stages_of("cvae")  # to the same bytes, so that DVC has no reason for a new report
    assert project.settled()


def test_a_comment_and_a_new_file_rerun_nothing_but_code(project: Project) -> None:
    with (project.folder / "vaeline/models/model.py").open("a") as file:
        file.write("# Nothing new.\n")
    (project.folder / "vaeline/models/priors/another.py").write_text("ANOTHER = True\n")
    assert project.snakemake() == []
    assert project.settled()


def test_each_engine_runs_what_a_failed_variant_left_missing(project: Project, tmp_path: Path) -> None:
    project.edit(lambda params: params["training"].update(epochs=7))
    project.snakemake("--keep-going", "all", FAILING="cvae", fails=True)
    other = project.copy(tmp_path / "other")
    assert project.snakemake() == of("cvae")
    assert project.settled()
    assert other.repro() == of("cvae")


def test_snakemake_runs_what_dvc_left_missing(project: Project) -> None:
    project.edit(lambda params: params["training"].update(epochs=7))
    project.repro("--keep-going", FAILING="cvae", fails=True)
    assert project.snakemake() == of("cvae")
    assert project.settled()


def test_a_killed_run_goes_on_with_what_is_missing(project: Project, tmp_path: Path) -> None:
    done = stopped(project, signal.SIGKILL)
    other = project.copy(tmp_path / "other")
    assert project.snakemake() == sorted(set(ALL_RUNS) - set(done))
    assert project.settled()
    assert set(ALL_RUNS) - set(done) <= set(other.repro()) <= set(ALL_RUNS)
    assert other.settled()
    assert checksums(other) == checksums(project)


def test_a_killed_run_is_not_recorded_over_what_dvc_made_after_it(project: Project) -> None:
    stopped(project, signal.SIGKILL)
    project.edit(lambda params: params["training"].update(epochs=8))
    project.repro()
    project.edit(lambda params: params["training"].update(epochs=7))
    assert project.snakemake() == ALL_RUNS
    assert project.settled()


def test_a_killed_run_is_not_recorded_on_data_made_after_it(project: Project) -> None:
    done = stopped(project, signal.SIGKILL)
    project.edit(lambda params: params["dataset"].update(size=9))
    project.repro("--single-item", "preprocess@digits")
    assert set(done) <= set(project.snakemake())


def test_an_interrupted_run_records_what_it_finished(project: Project) -> None:
    done = stopped(project, signal.SIGINT)
    assert not set(done) & set(project.repro())


def test_an_interrupt_while_recording_leaves_the_lock_whole(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(lockfile: Any, stages: Any) -> None:
        Path(lockfile.path).write_text("stages:\n  half")
        raise KeyboardInterrupt

    monkeypatch.chdir(project.folder)
    monkeypatch.setattr(Lockfile, "dump_stages", interrupted)
    before = Path("dvc.lock").read_bytes()
    with Repo(".") as repo, lock_repo(repo), pytest.raises(KeyboardInterrupt):
        bridge._record(repo, list(repo.index.stages))
    assert Path("dvc.lock").read_bytes() == before
    assert not list(project.folder.glob(".dvc.lock*"))


def test_what_ran_while_its_parameters_were_edited_is_not_certified(project: Project) -> None:
    project.edit(widen("cvae"))
    run = project.start("snakemake", "--cores", "1", "all", SECONDS_EACH="0.3")
    project.wait_for(1, run)
    project.edit(widen("cvae"))
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
    (clone.folder / "data/digits.h5").touch()  # as if it had been the last to come
    assert clone.settled()
    clone.edit(widen("cvae"))
    assert clone.snakemake() == of("cvae")
    assert clone.settled()


def test_a_clone_that_does_not_pull_runs_all(project: Project, tmp_path: Path) -> None:
    clone = project.clone(tmp_path / "clone")
    assert clone.snakemake() == EVERY
    assert clone.settled()
    assert checksums(clone) == checksums(project)


def test_a_removed_variant_leaves_all_clean(project: Project, tmp_path: Path) -> None:
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
    assert project.snakemake() == of("cvae")
    other = (project.folder / "params.yaml").read_bytes()
    for study in (digits, other):
        (project.folder / "params.yaml").write_bytes(study)
        project.run("dvc", "checkout")
        assert project.settled()


def test_mistaken_parameters_end_in_a_sentence(project: Project) -> None:
    project.edit(lambda params: params["training"].update(epochs=0))
    said = project.run("snakemake", "-n", "all", fails=True)
    assert "params.yaml: training.epochs is 0" in said
    assert "Traceback" not in said


def test_a_dry_run_leaves_a_live_run_alone(project: Project) -> None:
    project.edit(widen("cvae"))
    hold = project.folder / "hold"
    hold.touch()
    run = project.start("snakemake", "--cores", "1", "all", HELD_BY=str(hold))
    project.wait_for(1, run)
    project.run("snakemake", "-n", "all")
    assert (project.folder / bridge.RUNNING).exists()
    hold.unlink()
    assert run.wait() == 0
    assert project.settled()


def test_a_bridge_that_was_on_its_way_leaves_a_run_that_has_begun_alone(project: Project) -> None:
    seen = (project.folder / bridge.SEEN).read_bytes()
    project.edit(widen("cvae"))
    (project.folder / bridge.RUNNING).touch()
    project.run(sys.executable, "-m", "workflow.bridge")
    assert (project.folder / bridge.RUNNING).exists()
    assert (project.folder / bridge.SEEN).read_bytes() == seen
    project.run(sys.executable, "-m", "workflow.bridge", "--record")
    assert not (project.folder / bridge.RUNNING).exists()


def test_the_bridge_rests_while_nothing_has_changed(project: Project) -> None:
    seen = project.folder / bridge.SEEN
    before = seen.stat().st_mtime_ns
    assert project.settled()
    assert seen.stat().st_mtime_ns == before
