"""The Snakefile and dvc.yaml describe the same stages."""

import json
import os
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from dvc.dependency.param import ParamsDependency
from dvc.repo import Repo

from pipeline_steps.code_hashes import write_hashes
from tests.workflow.scratch import Project
from vaeline.data.paths import CODE, DataFiles
from vaeline.runs.folder import FILES, StudyFolder
from vaeline.study.reading import load
from workflow.records import planned

Stage = dict[str, Any]
Key = tuple[str, tuple[str, ...]]  # rule, outputs


SPACE = {"training.learning_rate": {"log": [0.0001, 0.01]}}


@pytest.fixture(scope="module", params=[[], [0, 2]], ids=["untuned", "tuned"])
def engines(
    sources: Project, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[dict[Key, Stage], dict[Key, Stage]]]:
    """Every stage of the active study, as Snakemake and as DVC sees it."""
    project = sources.copy(tmp_path_factory.mktemp("engines") / "project")
    project.edit(lambda params: params["tuning"].update(trials=request.param, space=SPACE))
    project.edit(lambda params: params["study"].update(released="cvae/seed-1"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project.folder)
        write_hashes(load())
        yield by_snakemake(), by_dvc()


def by_snakemake() -> dict[Key, Stage]:
    with planned() as workflow:
        return {
            (job.rule.name, tuple(sorted(job.output))): {
                "name": f"{job.rule.name}@{'-'.join(job.wildcards)}",
                "command": job.shellcmd,
                "logs": list(job.log),
                "resources": set(job.rule.resources),
                "retries": job.rule._restart_times,
                "inputs": set(job.input),
                "parameters": dict(parameter.split("=", 1) for parameter in job.params),
            }
            for job in workflow.dag.jobs
            if job.output
        }


def by_dvc() -> dict[Key, Stage]:
    with Repo(".") as repo:
        return {
            (stage.name.split("@")[0], tuple(sorted(out.def_path for out in stage.outs))): {
                "name": stage.name,
                "command": stage.cmd,
                "inputs": {dep.def_path for dep in stage.deps if not isinstance(dep, ParamsDependency)},
                "parameters": dict(parameters(stage)),
            }
            for stage in repo.index.stages
        }


def parameters(stage: Any) -> Iterator[tuple[str, str]]:
    """A stage's dotted keys and their values as JSON; those of a file of hashes under `code`, as Snakemake has them."""
    for dependency in stage.deps:
        if isinstance(dependency, ParamsDependency):
            above = "" if dependency.def_path == "params.yaml" else "code."
            for key, value in dependency.read_params().items():
                yield above + key, json.dumps(value, sort_keys=True)


def test_stages_and_outputs_are_the_same(engines: Any) -> None:
    snakemake, dvc = engines
    assert snakemake.keys() == dvc.keys()


def test_a_job_is_named_as_its_stage(engines: Any) -> None:
    snakemake, dvc = engines
    named = [key for key in dvc if key[0] != "code"]  # which has no wildcards, for one of its outputs names no study
    assert {snakemake[key]["name"] for key in named} == {dvc[key]["name"] for key in named}


def test_commands_are_the_same(engines: Any) -> None:
    """Snakemake keeps a log beside it."""
    snakemake, dvc = engines
    logged = {
        key: f"{stage['command']} 2>&1 >&3 | tee -i {' '.join(snakemake[key]['logs'])} >&2"
        for key, stage in dvc.items()
    }
    assert {key: stage["command"] for key, stage in snakemake.items()} == logged


def test_every_job_has_a_log_of_its_own_that_dvc_does_not_see(engines: Any) -> None:
    snakemake, dvc = engines
    logs = [log for stage in snakemake.values() for log in stage["logs"]]
    assert len(logs) == len(set(logs)) == len(snakemake)
    assert all(log.startswith("logs/") for log in logs)
    seen = {path for key, stage in dvc.items() for path in (*stage["inputs"], *key[1])}
    assert not any(path.startswith("logs") for path in seen)


def test_inputs_are_the_same(engines: Any) -> None:
    """A folder that DVC depends on stands for all that is in it or will be."""
    snakemake, dvc = engines
    source = load().dataset.source  # Snakemake has its fingerprint as a parameter
    outputs = {path for _, paths in dvc for path in paths}
    for key, stage in dvc.items():
        folders = stage["inputs"] - outputs - {source}
        below = {path for folder in folders for path in [*files(folder), *outputs] if path.startswith(f"{folder}/")}
        assert snakemake[key]["inputs"] == stage["inputs"] - folders - {source} | below
        assert (source in stage["inputs"]) == ("source" in snakemake[key]["parameters"]) == (key[0] == "download")


def files(folder: str) -> Iterator[str]:
    """The files of a folder that DVC does not ignore."""
    with Repo(".") as repo:
        yield from (os.path.relpath(path) for path in repo.dvcignore.find(repo.fs, os.path.abspath(folder)))


def test_parameters_are_the_same_in_name_and_value(engines: Any) -> None:
    snakemake, dvc = engines
    assert {key: _without_source(stage["parameters"]) for key, stage in snakemake.items()} == {
        key: stage["parameters"] for key, stage in dvc.items()
    }


def _without_source(parameters: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in parameters.items() if key not in ("source", "weights")}


def test_a_step_checks_the_parameters_and_the_code_of_its_stage() -> None:
    stages = yaml.safe_load(Path("dvc.yaml").read_text())["stages"]
    modules = {name: import_module(f"pipeline_steps.{name}").main.callback for name in stages}
    for name, stage in stages.items():
        keys = {key.replace("${item.", "{") for key in stage["params"] if isinstance(key, str)}
        assert set(modules[name].reads) == keys
        code = [key for entry in stage["params"] if isinstance(entry, dict) for [key] in entry.values()]
        assert [re.sub(r"\$\{[^}]*?(\w+)(\.name)?\}", r"{\1}", key) for key in code] == list(
            filter(None, [modules[name].code])
        )


def test_outputs_lie_where_python_has_them(engines: Any) -> None:
    study = load()
    data, results, space = DataFiles(study.dataset.id), StudyFolder(study.study.name), study.evaluation.features.name
    runs = {results.run(variant, seed) for variant in study.study.variants for seed in study.study.seeds}
    for stages in engines:
        made: dict[str, set[Path]] = {}
        for step, outputs in stages:
            made.setdefault(step, set()).update(map(Path, outputs))
        assert made["download"] == {data.manifest} and made["preprocess"] == {data.store}
        assert made["classifier"] == {data.classifier}
        assert made["reference"] == {data.statistics(space), data.metrics(space)}
        assert made["code"] == {CODE, results.code}
        for step in ("train", "sample", "evaluate"):
            assert {path.parent for path in made[step]} == runs
        assert made["design"] == {results.design(variant) for variant in study.study.variants}
        assert made["choose"] == {results.choice(variant) for variant in study.study.variants}
        assert made.get("trial", set()) == {
            results.trial(variant, trial) / "trial.json"
            for variant in study.study.variants
            for trial in study.tuning.trials
        }
        assert {path.parent for path in made["report"]} == {results.path}
        assert {path.name for step in ("train", "sample", "evaluate") for path in made[step]} == set(FILES)


def test_artifacts_are_the_released_run_all_runs_and_the_store(engines: Any) -> None:
    _, dvc = engines
    outputs = {path for _, paths in dvc for path in paths}
    with Repo(".") as repo:
        artifacts = {name: each.path for name, each in repo.artifacts.read()["dvc.yaml"].items()}
    study = load()
    results, store = StudyFolder(study.study.name), DataFiles(study.dataset.id).store
    assert artifacts == {"model": str(results.run("cvae", 1)), "models": str(results.runs), "images": str(store)}
    assert all(any(path.startswith(artifact) for path in outputs) for artifact in artifacts.values())


def test_every_job_asks_for_memory_and_time_and_downloads_are_tried_again(engines: Any) -> None:
    snakemake, _ = engines
    assert all({"mem_mb", "runtime"} <= stage["resources"] for stage in snakemake.values())
    assert {rule: stage["retries"] for (rule, _), stage in snakemake.items() if stage["retries"]} == {"download": 2}


def test_no_parameter_file_is_an_input(engines: Any) -> None:
    for stages in engines:
        inputs = set().union(*(stage["inputs"] for stage in stages.values()))
        assert not any(path == "params.yaml" or path.endswith("code.json") for path in inputs)


def test_rule_all_requests_every_output(sources: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(sources.folder)
    with planned() as workflow:
        [everything] = [job for job in workflow.dag.jobs if job.rule.name == "all"]
        assert set(everything.input) == {path for job in workflow.dag.jobs for path in job.output}
