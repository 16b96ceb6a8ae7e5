"""Reading a study's runs."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.made_up import VARIANT, study, study_content, write_run, write_runs
from vaeline.report import results
from vaeline.runs.description import read_content, write_description
from vaeline.runs.tuning import Choice, Trial
from vaeline.study.reading import check
from vaeline.system.errors import UserError
from vaeline.system.files import sha256, write_json


def test_every_run_is_read_in_the_order_of_the_study(tmp_path: Path) -> None:
    write_runs(tmp_path, {"one": [1.0, 2.0, 3.0], "two": [4.0, 5.0, 6.0]})
    found = results.read(tmp_path, study(("two", "one"), (2, 0, 1)))
    assert [(run.variant, run.seed, run.metrics["nll"]) for run in found.runs] == [
        ("two", 2, 6.0), ("two", 0, 4.0), ("two", 1, 5.0), ("one", 2, 3.0), ("one", 0, 1.0), ("one", 1, 2.0),
    ]  # fmt: skip
    assert not found.missing


def test_an_epoch_without_validation_is_nan(tmp_path: Path) -> None:
    write_run(tmp_path / "one" / "seed-0", {"nll": 1.0})
    training = results.read(tmp_path, study(("one",), (0,))).runs[0].training
    np.testing.assert_array_equal(training["epoch"], [1, 2, 3])
    np.testing.assert_array_equal(training["validation_distortion"], [8, np.nan, 8 / 3])


@pytest.mark.parametrize(
    ("lost", "state"),
    [
        ("model.safetensors", "not trained"),
        ("samples.png", "trained, not sampled"),
        ("evaluation.json", "sampled, not evaluated"),
    ],
)
def test_a_missing_run_reports_its_progress(tmp_path: Path, lost: str, state: str) -> None:
    write_runs(tmp_path, {"one": [1.0, 2.0]})
    (tmp_path / "one" / "seed-1" / lost).unlink()
    found = results.read(tmp_path, study(("one",), (0, 1)))
    assert [run.seed for run in found.runs] == [0]
    assert found.missing == {("one", 1): state}


@pytest.mark.parametrize(
    ("section", "changed", "state"),
    [
        ("variants", {"one": VARIANT | {"latent": 9}}, "trained under other parameters"),
        ("training", {"epochs": 2, "learning_rate": 0.01, "batch_size": 9}, "trained under other parameters"),
        ("sampling", {"grid": 4, "seed": 1}, "sampled under other parameters"),
        ("evaluation", {"features": {"name": "classifier"}, "seed": 1}, "evaluated under other parameters"),
    ],
)
def test_a_run_with_other_parameters_is_missing(
    tmp_path: Path, section: str, changed: dict[str, Any], state: str
) -> None:
    write_run(tmp_path / "one" / "seed-0", {"nll": 1.0})
    other = check(study_content(("one",)) | {section: changed}, Path("params.yaml"))
    write_run(tmp_path / "one" / "seed-1", {"nll": 2.0}, of=other)
    found = results.read(tmp_path, study(("one",), (0, 1)))
    assert [run.seed for run in found.runs] == [0]
    assert found.missing == {("one", 1): state}


def test_existing_wall_times_are_read(tmp_path: Path) -> None:
    write_runs(tmp_path, {"one": [1.0, 2.0]})
    write_json(tmp_path / "one" / "seed-0" / "timing.json", {"train": {"seconds": 3.5, "host": "here"}})
    assert [run.seconds for run in results.read(tmp_path, study(("one",), (0, 1))).runs] == [{"train": 3.5}, {}]


def test_recorded_peak_memory_is_read(tmp_path: Path) -> None:
    write_runs(tmp_path, {"one": [1.0]})
    noted = {"train": {"seconds": 3.5, "host": "here", "peak_bytes": 2**30}, "sample": {"seconds": 1.0, "host": "here"}}
    write_json(tmp_path / "one" / "seed-0" / "timing.json", noted)
    [run] = results.read(tmp_path, study(("one",), (0,))).runs
    assert {step: time.peak_bytes for step, time in run.times.items()} == {"train": 2**30, "sample": None}


@pytest.mark.parametrize("name", ["metrics.json", "evaluation.json", "training.csv", "variant.yaml"])
@pytest.mark.parametrize("content", [b'{"nll": 1', b"\xff\xfe\x00", b"[1, 2]", b'{"nll": "x"}'])
def test_a_damaged_file_is_named(tmp_path: Path, name: str, content: bytes) -> None:
    write_run(tmp_path / "one" / "seed-0", {"nll": 1.0})
    (tmp_path / "one" / "seed-0" / name).write_bytes(content)
    with pytest.raises(UserError, match=f"seed-0/{name} is damaged"):
        results.read(tmp_path, study(("one",), (0,)))


@pytest.mark.parametrize(
    "content",
    [
        b"", b"epoch\n", b"a,b\n1,2\n", b"epoch,epoch\n1,2\n", b"epoch,rate\n1\n", b"epoch\n1,2\n", b"epoch\n1\0\n", b"epoch\nx\n",
        b"epoch\n\xff\n", b"epoch\n" + b"1" * 200_000,
    ],
)  # fmt: skip
def test_curves_that_are_no_table_of_epochs_are_named(tmp_path: Path, content: bytes) -> None:
    """Another version of vaeline may have written them, and vouched for them."""
    folder = tmp_path / "one" / "seed-0"
    write_run(folder, {"nll": 1.0})
    (folder / "training.csv").write_bytes(content)
    described = read_content(folder / "variant.yaml")
    write_description(folder, {**described, "training_csv_sha256": sha256(folder / "training.csv")})
    with pytest.raises(UserError, match=r"seed-0/training.csv is damaged or of another version of vaeline"):
        results.read(tmp_path, study(("one",), (0,)))


@pytest.mark.parametrize("content", ['{"train": {}}', '{"train": {"seconds": "x", "host": "here"}}', "NaN"])
def test_damaged_wall_times_are_named(tmp_path: Path, content: str) -> None:
    write_run(tmp_path / "one" / "seed-0", {"nll": 1.0})
    (tmp_path / "one" / "seed-0" / "timing.json").write_text(content)
    with pytest.raises(UserError, match="timing.json is damaged"):
        results.read(tmp_path, study(("one",), (0,)))


@pytest.mark.parametrize("metrics", [{"nll": 2.0}, {"nll": 1.0, "rate": 1.0}, {}])
def test_metrics_and_definitions_of_different_evaluations_are_refused(
    tmp_path: Path, metrics: dict[str, float]
) -> None:
    """A full disk or a kill between the two files leaves them in this state."""
    write_run(tmp_path / "one" / "seed-0", {"nll": 1.0})
    write_json(tmp_path / "one" / "seed-0" / "metrics.json", metrics)
    with pytest.raises(UserError, match=r"of two evaluations; .*evaluate --variant one --seed 0"):
        results.read(tmp_path, study(("one",), (0,)))


def test_a_truncated_picture_is_named(tmp_path: Path) -> None:
    write_run(tmp_path / "one" / "seed-0", {"nll": 1.0})
    path = tmp_path / "one" / "seed-0" / "samples.png"
    path.write_bytes(path.read_bytes()[:80])
    with pytest.raises(UserError, match="samples.png is damaged"):
        results.read(tmp_path, study(("one",), (0,)))


def test_a_run_of_another_choice_is_missing(tmp_path: Path) -> None:
    write_run(tmp_path / "one/seed-0", {"nll": 1.0})
    trial = Trial(trial=0, point={"training.learning_rate": 0.1}, score=1.0)
    for choice, missing in (
        (Choice(trials=[], chosen=None), {}),
        (Choice(trials=[trial], chosen=0), {("one", 0): "trained with other values than its tuning has chosen"}),
    ):
        found = results.read(tmp_path, study(("one",), (0,)), choices={"one": choice})
        assert found.missing == missing and list(found.tuned) == ["one"] * len(missing)
