"""Jobs ask for twice what was measured, for a rule of thumb before that, and for a GPU only if the study uses one."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline_steps.plan_check import PLANNED
from tests.workflow.scratch import Project
from vaeline.study import ready_studies
from vaeline.study.schema import Study
from vaeline.study.step_settings import OF_RUN
from workflow import job_resources, records
from workflow.job_resources import OF_JOB, SHORTEST, SNAKEMAKE, Limits, Needs, hand_on_memory, limits

RUNS = Path("results/digits/runs")


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    study = ready_studies.resolve("digits")
    monkeypatch.chdir(tmp_path)
    job_resources._times.cache_clear()
    limits.cache_clear()
    return study


def note(folder: Path, step: str = "train", **entry: float) -> None:
    folder.mkdir(parents=True)
    (folder / "timing.json").write_text(json.dumps({step: {"host": "node", **entry}}))


def test_twice_the_most_that_a_variant_has_used_is_asked_for(study: Study) -> None:
    note(RUNS / "cvae/seed-0", seconds=1800, peak_bytes=10**9)
    note(RUNS / "cvae/seed-1", seconds=3600, peak_bytes=2 * 10**9)
    note(RUNS / "gaussian_cvae/seed-0", seconds=1, peak_bytes=1)
    needs = Needs(study)
    assert needs.memory("train", "cvae", processes=3) == 12_000 + SNAKEMAKE
    assert needs.memory("train", "cvae") == 4000 + SNAKEMAKE and needs.minutes("train", "cvae") == 120
    assert needs.minutes("train", "gaussian_cvae") == SHORTEST
    assert needs.memory("train", "cvae_nf") == 4000 + SNAKEMAKE  # as any other variant


def test_before_a_measurement_more_images_ask_for_more(study: Study) -> None:
    more = study.model_copy(update={"dataset": study.dataset.model_copy(update={"name": "celeba", "size": 64})})
    note(RUNS / "cvae/seed-0", seconds="damaged")  # type: ignore[arg-type]
    small, large = Needs(study), Needs(more)
    assert small.memory("train", "cvae") < 4000 and small.minutes("train", "cvae") < 30
    assert large.memory("train", "cvae") > 2 * small.memory("train", "cvae")
    assert large.minutes("train", "cvae") > 10 * small.minutes("train", "cvae")


def test_a_variant_that_trains_longer_asks_for_more_time(study: Study) -> None:
    longer = study.variants["cvae"].model_copy(update={"training": {"epochs": 5000, "validate_every": 1}})
    needs = Needs(study.model_copy(update={"variants": study.variants | {"cvae": longer}}))
    assert needs.minutes("train", "cvae") > needs.minutes("train", "cvae_nf")
    assert needs.minutes("evaluate", "cvae") == needs.minutes("evaluate", "cvae_nf")


@pytest.mark.parametrize(
    ("partition", "expected"),
    [
        (None, Limits(8, 60)),
        ("gpu", Limits(64, 2 * 24 * 60 + 30)),
        ("short", Limits(1, 5)),
        ("any", Limits(1)),
        ("no", Limits()),
    ],
)
def test_slurm_says_what_a_partition_allows(
    study: Study, monkeypatch: pytest.MonkeyPatch, partition: str | None, expected: Limits
) -> None:
    write_sinfo(
        monkeypatch,
        "slurm says hello\\nmain* 2 1:00:00\\nmain* 8 1:00:00\\ngpu 64 2-00:30:00\\nshort 1 5:00\\nany 1 infinite\\n",
    )
    assert limits(partition) == expected


def test_steps_of_one_job_ask_together_for_no_more_time_than_the_partition_allows(study: Study) -> None:
    for step, seconds in (("train", 3600), ("sample", 900), ("evaluate", 1800)):
        note(RUNS / f"cvae/seed-{step}", step, seconds=seconds)
    needs, run = Needs(study), ("train", "sample", "evaluate")

    def asked(most: int | None, attempt: int) -> list[int]:
        return [needs.minutes_within(most, step, run, "cvae", attempt) for step in run]

    assert asked(None, 1) == asked(210, 1) == [120, 30, 60]
    assert asked(105, 1) == asked(105, 2) == [60, 15, 30]
    assert needs.minutes_within(105, "train", ["train"], "cvae", 1) == 105


def write_sinfo(monkeypatch: pytest.MonkeyPatch, lines: str) -> None:
    Path("sinfo").write_text(f"#!/bin/sh\nprintf '{lines}'\n")
    Path("sinfo").chmod(0o755)
    monkeypatch.setenv("PATH", ".", prepend=":")
    limits.cache_clear()


def test_without_slurm_nothing_is_limited(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert limits(None) == Limits()


def test_snakemake_on_a_node_hands_the_memory_of_its_job_on(empty_project: Project) -> None:
    """The first Snakemake of a job has Slurm's variable; the executor starts another one without it, which starts the step."""
    environment = {OF_JOB: "3000"}
    hand_on_memory(environment)
    [kept] = environment.keys() - {OF_JOB}
    on_node = ("snakemake", "--mode", "remote", "--cores", "1", "--nolock", "data/raw/digits.json")
    empty_project.run(*on_node, **{PLANNED: "{}", "NOTED": OF_JOB, kept: environment[kept]})
    assert (empty_project.folder / "noted").read_text() == "3000"


def test_a_job_asks_for_more_with_each_attempt(sources: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(sources.folder)
    with records.planned() as workflow:
        job = next(job for job in workflow.dag.jobs if job.rule.name == "train")
        first = dict(job.resources)
        job.attempt = 2
        assert job.resources["mem_mb"] == 2 * first["mem_mb"] and job.resources["runtime"] == 2 * first["runtime"]
        assert first["gpu"] == 0 and "gpu_model" not in first and job.threads == 1


def test_on_a_cluster_only_steps_on_the_device_ask_for_a_gpu_and_no_job_for_more_threads_than_a_node_has(
    sources: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = sources.copy(tmp_path / "project")
    project.edit(lambda params: params["training"].update(device="auto"))
    monkeypatch.chdir(project.folder)
    write_sinfo(monkeypatch, "main* 2 1:00:00\\n")
    with records.planned() as workflow:
        monkeypatch.setattr(type(workflow), "local_exec", property(lambda workflow: False))
        workflow.globals["config"]["gpu_model"] = "a100"
        jobs = {job.rule.name: job for job in workflow.dag.jobs}
        asking = {name for name, job in jobs.items() if job.resources.get("gpu")}
        assert asking == {"train", "sample", "evaluate", "classifier", "reference"}
        assert {name for name, job in jobs.items() if job.resources.get("gpu_model") == "a100"} == asking
        groups = replace(workflow.group_settings, overwrite_groups=dict.fromkeys(OF_RUN, "run"))
        monkeypatch.setattr(workflow, "group_settings", groups)
        assert workflow.globals["grouped_with"]("sample") == set(OF_RUN)
        assert workflow.globals["grouped_with"]("report") == {"report"}
        at_most = workflow.globals["at_most"]
        assert at_most(4)(None) == 2 and at_most(1)(None) == 1
