"""A step refuses what its engine did not plan, at its start and at its end."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from click.testing import Result

from pipeline_steps import classifier, download, file_states, plan_check, reference
from pipeline_steps.code_hashes import hashes, write_hashes
from pipeline_steps.command import reads, run_command, study_command
from pipeline_steps.plan_check import PLANNED, SOURCE, UNDER_DVC, WEIGHTS, plan
from vaeline.data.paths import CODE
from vaeline.study.schema import Study
from vaeline.study.step_settings import READS

KEYS = ["training", "variants.plain", "variants.flow", "code.train.plain", "code.train.flow", "code.classifier"]


def edit(study: Study, **training: object) -> None:
    content = study.model_dump(mode="json")
    content["training"] |= training
    Path("params.yaml").write_text(yaml.safe_dump(content))


def a_step(act: Callable[[], object] = lambda: None) -> click.Command:
    """A step that reads the training of a variant, and does something between its start and its end."""

    @study_command
    @reads("tested", code="train.plain")
    def step(study: Study) -> None:
        act()

    return step


@pytest.fixture
def planned(project: Study, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The environment of a job of Snakemake, planned with the study as it is; returns the plan."""
    text = plan(project, hashes(project), KEYS, {})
    monkeypatch.setenv(PLANNED, text)
    return dict(json.loads(text))


def test_a_step_runs_with_what_was_planned(planned: dict[str, Any], run: Callable[..., Result]) -> None:
    assert run(a_step()).exit_code == 0


def test_other_parameters_than_planned_are_refused(
    planned: dict[str, Any], project: Study, run: Callable[..., Result]
) -> None:
    edit(project, epochs=10)
    ended = run(a_step(lambda: pytest.fail("it ran")))
    assert "training of params.yaml changed since this run was planned; start the run again." in ended.output
    assert ended.exit_code == 1


def test_a_key_that_the_step_does_not_read_may_differ(
    planned: dict[str, Any], project: Study, run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PLANNED, json.dumps(planned | {"variants.flow": "other", "code.train.flow": "other"}))
    assert run(a_step()).exit_code == 0


@pytest.mark.parametrize("change", [{"code.train.plain": "other"}, {"training": None}])
def test_other_code_or_a_plan_without_the_key_is_refused(
    planned: dict[str, Any], run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, change: dict[str, str | None]
) -> None:
    text = {key: value for key, value in (planned | change).items() if value}
    monkeypatch.setenv(PLANNED, json.dumps(text))
    ended = run(a_step(lambda: pytest.fail("it ran")))
    assert ended.exit_code == 1 and "changed since this run was planned" in ended.output


def test_another_source_than_planned_is_refused(
    planned: dict[str, Any], project: Study, run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = ["dataset.name", "dataset.source", "evaluation.features", "code.download.digits"]
    monkeypatch.setenv(PLANNED, plan(project, hashes(project), keys, {SOURCE: "of another day"}))
    ended = run(download.main)
    assert ended.exit_code == 1 and "changed since this run was planned" in ended.output


def test_other_weights_than_planned_are_refused(
    project: Study, run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [*READS["reference"], "code.reference.classifier"]
    assert run(classifier.main).exit_code == 0
    for files, code in (({WEIGHTS: ""}, 0), ({WEIGHTS: "of another file"}, 1)):
        monkeypatch.setenv(PLANNED, plan(project, hashes(project), keys, files))
        ended = run(reference.main)
        assert ended.exit_code == code and ("The weights of the feature space changed" in ended.output) == code


def test_a_source_that_changes_while_it_is_read_is_refused(
    project: Study, run: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    states = iter(["before", "after"])
    monkeypatch.setattr(download.source_fingerprint, "of_source", lambda dataset: "a fingerprint")
    monkeypatch.setattr(download.source_fingerprint, "state", lambda folder: next(states))
    ended = run(download.main)
    assert ended.exit_code == 1 and "changed while this step read it" in ended.output
    assert not Path("data/raw/blocks.json").exists()


def test_code_json_of_other_code_is_refused_under_dvc(
    project: Study, run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(UNDER_DVC, "train@tiny-plain-0")
    assert "run `python -m pipeline_steps.code`" in run(a_step()).output  # code.json is missing
    write_hashes(project)
    assert run(a_step()).exit_code == 0
    path = Path("results/tiny/code.json")
    content = json.loads(path.read_text())
    content["train"]["plain"] = "other"
    path.write_text(json.dumps(content))
    assert "run `python -m pipeline_steps.code`" in run(a_step()).output
    assert CODE.exists()


@pytest.fixture
def module(project: Study, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module of the step's code as it was when this process began; a test changes the record instead of the file."""
    path = file_states.ROOT / "vaeline/models/model.py"
    monkeypatch.setattr(file_states, "AT_START", dict(file_states.AT_START))
    return path


def touch(path: Path) -> None:
    """Make a file look as if it had been written since this process began."""
    file_states.AT_START[path] = None


def test_code_that_changed_while_the_step_was_loaded_is_refused(module: Path, run: Callable[..., Result]) -> None:
    touch(module)
    ended = run(a_step(lambda: pytest.fail("it ran")))
    assert "vaeline/models/model.py changed while this step was loaded" in ended.output


def test_a_data_file_of_any_suffix_must_not_change(project: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    table = file_states.ROOT / "vaeline/models/likelihoods/scale.bin"
    check = plan_check.PlanCheck(project, [], "train.plain")
    check.files.add(table)
    monkeypatch.setattr(file_states, "changed", lambda paths: [table])
    assert check._changed() == [table]


def test_a_comment_in_a_module_that_is_loaded_does_not_stop_a_step(
    module: Path, run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan_check, "_loaded", lambda: set(file_states.AT_START))
    assert run(a_step(lambda: touch(module))).exit_code == 0  # the hash is the same


def test_a_module_that_may_be_loaded_later_must_not_be_touched(
    module: Path, run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan_check, "_loaded", set)
    ended = run(a_step(lambda: touch(module)))
    assert "vaeline/models/model.py changed while this step ran" in ended.output


def test_an_edit_of_a_loaded_module_is_refused_at_the_end(
    module: Path, run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    def act() -> None:
        touch(module)
        monkeypatch.setattr(plan_check, "hash_at", lambda study, code: "another")

    monkeypatch.setattr(plan_check, "_loaded", lambda: set(file_states.AT_START))
    ended = run(a_step(act))
    assert ended.exit_code == 1 and "model.py changed while this step ran" in ended.output


def test_parts_and_metrics_are_imported_before_the_check(project: Study) -> None:
    """What a step keeps on its way names the hash of its code: a module that it imports later could be of another."""
    names = (
        "vaeline.metrics.precision_recall",
        "vaeline.models.networks.mlp",
        "vaeline.evaluation.features.classifier",
    )
    lacking = "; ".join(f"assert {name!r} not in sys.modules" for name in names)
    there = "; ".join(f"assert {name!r} in sys.modules" for name in names)
    code = f"import sys; from pipeline_steps.plan_check import PlanCheck, load; {lacking}; PlanCheck(load(), [], 'evaluate.plain'); {there}"
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ | {"PYTHONPATH": str(file_states.ROOT)})


def test_a_refused_step_leaves_nothing_that_vouches(
    project: Study, run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    @run_command
    @reads("train", code="train.{variant}")
    def step(study: Study, variant: str, seed: int) -> None:
        folder = Path(f"results/tiny/runs/{variant}/seed-{seed}")
        folder.mkdir(parents=True)
        (folder / "variant.yaml").write_text("made with edited code")
        edit(study, epochs=10)

    assert run(step, "--variant", "plain", "--seed", 0).exit_code == 1
    assert not Path("results/tiny/runs/plain/seed-0/variant.yaml").exists()


def test_a_refused_command_removes_only_what_it_wrote(
    project: Study, run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`make report` and `measure` read what a step reads, and write other files."""
    of_step, written = Path("results/tiny/comparison.json"), Path("out.json")
    of_step.parent.mkdir(parents=True, exist_ok=True)

    @study_command
    @click.option("--partial", is_flag=True)
    @reads("tested", code="report", vouching=lambda study, options: None if options["partial"] else written)
    def step(study: Study, partial: bool) -> None:
        for path in (of_step, written):
            path.write_text("{}")
        edit(study, epochs=10)

    assert run(step, "--partial").exit_code == 1
    assert of_step.exists() and written.exists()
    edit(project)
    assert run(step).exit_code == 1
    assert of_step.exists() and not written.exists()


def test_a_metric_is_read_as_text_after_its_import(module: Path) -> None:
    """So that an edit of its entry, undone before the end, would be used and not be seen."""
    check = plan_check.PlanCheck(plan_check.load(), [], "evaluate.plain")
    assert file_states.ROOT / "vaeline/metrics/precision_recall.py" in check.read_later


def test_the_step_that_hashes_all_code_refuses_any_edit_meanwhile(module: Path, run: Callable[..., Result]) -> None:
    @study_command
    @reads("code", code=None)
    def step(study: Study) -> None:
        touch(file_states.ROOT / "vaeline/explorer/serving.py")

    assert "vaeline/explorer/serving.py changed while this step ran" in run(step).output
    assert "changed while this step was loaded" in run(step).output
