"""What a user of Snakemake expects of a workflow: lints, logs, descriptions, a second entry, answers to `--config` and `module:`."""

import re

import pytest

from tests.workflow.scratch import Project

TRAINED, LOG = "results/digits/runs/cvae/seed-0/model.safetensors", "logs/digits/cvae/seed-0.train.log"


@pytest.fixture(scope="module")
def unrun(fresh: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return fresh.copy(tmp_path_factory.mktemp("conventions") / "project")


def test_snakemake_has_nothing_to_criticise(unrun: Project) -> None:
    assert "Congratulations, your workflow is in a good condition" in unrun.run("snakemake", "--lint")


def test_every_rule_says_what_it_does(unrun: Project) -> None:
    listed = unrun.run("snakemake", "--list-rules").splitlines()
    rules = [line for line in listed if re.match(r"\w+( \(|$)", line)]
    assert len(rules) == 13 and all(re.fullmatch(r"\w+ \(.+\.\)", line) for line in rules), listed


def test_config_of_a_study_is_refused_before_a_job(unrun: Project) -> None:
    said = unrun.run("snakemake", "-n", "all", "--config", "training={epochs: 7}", fails=True)
    assert "--config and --configfile do not set 'training'" in said and "Traceback" not in said
    unrun.run("snakemake", "--list-rules", "--configfile", "params.yaml", "--config", "gpu_model=a100")


def test_a_module_of_another_workflow_is_refused(unrun: Project) -> None:
    entry = unrun.folder / "other.smk"
    entry.write_text('module vaeline:\n    snakefile: "Snakefile"\n\nuse rule * from vaeline\n')
    assert "cannot be a module of another workflow" in unrun.run("snakemake", "-s", entry.name, "-n", fails=True)


def test_both_snakefiles_have_the_same_records(project: Project) -> None:
    assert "Nothing to be done" in project.run("snakemake", "-s", "workflow/Snakefile", "-n", "all")
    project.edit(lambda params: params["training"].update(epochs=7))
    project.snakemake("-s", "workflow/Snakefile", TRAINED)
    assert "Nothing to be done" in project.run("snakemake", "-n", TRAINED)


def test_another_command_of_a_rule_leaves_nothing_to_do(project: Project) -> None:
    """DVC, whose stage is as before, decides."""
    rules = project.folder / "workflow/rules/runs.smk"
    rules.write_text(rules.read_text().replace("python -m pipeline_steps.train", "python  -m pipeline_steps.train"))
    assert project.settled()


def test_a_failed_job_names_its_log_which_has_what_it_said(project: Project) -> None:
    project.edit(lambda params: params["training"].update(epochs=7))
    said = project.run("snakemake", "--cores", "1", TRAINED, FAILING="cvae", fails=True)
    assert (project.folder / LOG).read_text() == "This variant fails.\n"
    shown, _, end = said.partition("Failed: train digits cvae 0; its log is ")
    assert "This variant fails.\n" in shown and end.startswith(f"{LOG}:\n    This variant fails.\n")
