"""The train step through its command."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from click.testing import Result

from pipeline_steps import classifier, evaluate, reference, sample, train, trial
from tests.pipeline_steps.conftest import write_project
from vaeline.data.store import read_split
from vaeline.runs.folder import RunKey
from vaeline.runs.identity import description_of
from vaeline.study.reading import load
from vaeline.study.schema import Study
from vaeline.system.files import sha256
from vaeline.system.locks import locked
from vaeline.system.state_files import state_folder
from vaeline.training import job

RUN = Path("results/tiny/runs/flow/seed-0")


def test_a_run_writes_model_settings_and_curves(project: Study, run: Callable[..., Result]) -> None:
    result = run(train.main, "--variant", "flow", "--seed", 0)
    assert result.exit_code == 0, result.output
    assert {path.name for path in RUN.iterdir()} == {"model.safetensors", "variant.yaml", "training.csv", "timing.json"}
    rows = list(csv.DictReader((RUN / "training.csv").open()))
    assert [row["epoch"] for row in rows] == ["1", "2"] and set(train.COLUMNS) <= rows[0].keys()
    assert json.loads((RUN / "timing.json").read_text())["train"]["seconds"] > 0
    curves = Path("results/tiny/live/flow-seed-0/plots/metrics/validation_negative_elbo.tsv")
    assert len(curves.read_text().splitlines()) == 3


def test_running_again_gives_the_same_bytes(project: Study, run: Callable[..., Result]) -> None:
    files = [RUN / name for name in ("model.safetensors", "variant.yaml", "training.csv")]
    run(train.main, "--variant", "flow", "--seed", 0)
    first = [sha256(path) for path in files]
    for path in files:
        path.unlink()
    run(train.main, "--variant", "flow", "--seed", 0)
    assert [sha256(path) for path in files] == first


@pytest.mark.parametrize(("step", "option"), [(train, "--seed"), (trial, "--trial")])
def test_more_processes_than_threads_are_refused(
    step: ModuleType, option: str, project: Study, run: Callable[..., Result]
) -> None:
    content = yaml.safe_load(Path("params.yaml").read_text())
    content["training"] |= {"device": "cpu", "processes": 2}
    content["tuning"] = {"trials": [0], "epochs": 1, "space": {"latent": {"whole": [2, 4]}}}
    Path("params.yaml").write_text(yaml.safe_dump(content))
    result = run(step.main, "--variant", "flow", option, 0)
    assert result.exit_code == 1 and "but each needs a thread, and training.threads is 1; set" in result.output


def test_a_run_records_the_training_with_what_its_variant_has_otherwise(
    project: Study, run: Callable[..., Result]
) -> None:
    content = yaml.safe_load(Path("params.yaml").read_text())
    own = {"learning_rate": 0.01, "weight_average": 0.9, "epochs": 3}
    content["variants"]["flow"]["training"] = own
    Path("params.yaml").write_text(yaml.safe_dump(content))
    result = run(train.main, "--variant", "flow", "--seed", 0)
    assert result.exit_code == 0, result.output
    made = description_of(RUN, RunKey("flow", 0))
    assert made.training == load().training.model_copy(update=own).model_dump(mode="json")
    assert len(list(csv.DictReader((RUN / "training.csv").open()))) == 3
    assert made.is_of(load(), "flow")
    content["variants"]["flow"]["training"]["epochs"] = 4
    Path("params.yaml").write_text(yaml.safe_dump(content))
    assert not made.is_of(load(), "flow")


@pytest.mark.parametrize("step", [train, sample, evaluate])
def test_a_store_that_is_replaced_while_a_step_reads_it_is_refused(
    project: Study, run: Callable[..., Result], step: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = [classifier, reference, train, sample, evaluate]
    for before in steps[: steps.index(step)]:
        words = () if before in (classifier, reference) else ("--variant", "flow", "--seed", 0)
        assert run(before.main, *words).exit_code == 0

    def replaced(*words: Any) -> Any:
        write_project(seed=10)
        return read_split(*words)

    monkeypatch.setattr(job if step is train else step, "read_split", replaced)
    result = run(step.main, "--variant", "flow", "--seed", 0)
    assert result.exit_code == 1 and "holds other images than those that this run was trained on" in result.output


@pytest.mark.parametrize("killed", ["training.csv", "model.safetensors", "variant.yaml"])
def test_a_kill_between_two_files_certifies_nothing(
    project: Study, run: Callable[..., Result], killed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(train.main, "--variant", "flow", "--seed", 0)
    content, rename = yaml.safe_load(Path("params.yaml").read_text()), Path.replace
    content["training"]["learning_rate"] = 0.001
    Path("params.yaml").write_text(yaml.safe_dump(content))

    def die(self: Path, target: Path) -> Path:
        if target.name == killed:
            raise KeyboardInterrupt
        return rename(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", die)
        run(train.main, "--variant", "flow", "--seed", 0)
    made = description_of(RUN, RunKey("flow", 0))
    vouched = {"model.safetensors": made.weights_sha256, "training.csv": made.training_csv_sha256}
    whole = [sha256(RUN / name) == checksum for name, checksum in vouched.items()]
    assert not made.is_of(load(), "flow") and all(whole) == (killed == "training.csv")
    assert run(train.main, "--variant", "flow", "--seed", 0).exit_code == 0
    assert description_of(RUN, RunKey("flow", 0)).is_of(load(), "flow")


def test_the_time_of_a_training_is_noted_after_a_resume_too(project: Study, run: Callable[..., Result]) -> None:
    times = []
    for _ in range(2):
        run(train.main, "--variant", "flow", "--seed", 0)
        times.append(json.loads((RUN / "timing.json").read_text())["train"]["seconds"])
    assert times[0] == times[1] > 0


def test_another_seed_gives_another_model(project: Study, run: Callable[..., Result]) -> None:
    for seed in (0, 1):
        run(train.main, "--variant", "flow", "--seed", seed)
    assert sha256(RUN / "model.safetensors") != sha256(RUN.with_name("seed-1") / "model.safetensors")


def test_an_unknown_variant_is_refused_with_known_names(project: Study, run: Callable[..., Result]) -> None:
    result = run(train.main, "--variant", "flowy", "--seed", 0)
    assert (
        result.exit_code == 1
        and "--variant is 'flowy'; study.variants in params.yaml contains: plain, flow." in result.output
    )


def test_an_impossible_variant_stops_all_trainings(project: Study, run: Callable[..., Result]) -> None:
    content = yaml.safe_load(Path("params.yaml").read_text())
    content["variants"]["plain"]["posterior"] = {"name": "vector_quantized", "codes": 4}
    Path("params.yaml").write_text(yaml.safe_dump(content))
    for step, arguments in ((train, ("--variant", "flow", "--seed", 0)), (classifier, ())):
        result = run(step.main, *arguments)
        assert result.exit_code == 1 and "Error: variants.plain: " in result.output


def test_a_run_cannot_be_trained_twice_at_once(project: Study, run: Callable[..., Result]) -> None:
    run(train.main, "--variant", "flow", "--seed", 0)
    [folder] = state_folder().iterdir()
    with locked(folder, "training"):
        result = run(train.main, "--variant", "flow", "--seed", 0)
    assert result.exit_code == 1 and "Another process is training flow from seed 0" in result.output


@pytest.mark.parametrize("content", [b"", b"<html>no such file</html>", None])
def test_a_file_that_is_not_a_store_is_refused(
    project: Study, run: Callable[..., Result], content: bytes | None
) -> None:
    store = Path("data/blocks.h5")
    store.write_bytes(store.read_bytes()[:3000] if content is None else content)
    result = run(train.main, "--variant", "flow", "--seed", 0)
    assert result.exit_code == 1 and "data/blocks.h5 is not a store of vaeline, or is damaged" in result.output
    assert not RUN.exists()
