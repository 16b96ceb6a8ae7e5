"""The classifier stage writes the classifier of a data set for all its studies."""

import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from click.testing import Result

from pipeline_steps import classifier as step
from pipeline_steps import reference
from tests.pipeline_steps.conftest import STUDY, blocks, write_store
from vaeline.data.store import Split, read_split
from vaeline.evaluation.classifier import predict
from vaeline.evaluation.classifier_file import load
from vaeline.evaluation.skill import LearnedNothing
from vaeline.study.schema import Study
from vaeline.system.sealed_files import read_sealed

FILE = Path("data/blocks.classifier.safetensors")


def test_the_stage_writes_an_accurate_classifier(project: Study, run: Callable[..., Result]) -> None:
    result = run(step.main)
    assert result.exit_code == 0, result.output
    test = read_split(Path("data/blocks.h5"), "test")
    assert np.mean(predict(load(FILE)["0"], test.images).numpy() == test.labels) > 0.95
    assert [path.name for path in Path("data").iterdir() if path.name.startswith(".")] == []


def test_running_it_twice_writes_the_same_bytes(project: Study, run: Callable[..., Result]) -> None:
    run(step.main)
    first = FILE.read_bytes()
    run(step.main)
    assert FILE.read_bytes() == first


def invisible(split: Split) -> Split:
    """The same images under labels that they do not show."""
    return replace(split, labels=np.random.default_rng(1000 + len(split.ids)).integers(0, 2, split.labels.shape))


def test_a_classifier_that_learned_nothing_is_called_out_at_once(project: Study, run: Callable[..., Result]) -> None:
    write_store({name: invisible(blocks(n, n)) for name, n in {"train": 96, "validation": 24, "test": 40}.items()})
    called_out = (
        r"The classifier was not shown to be better than chance on 24 validation images .*; raise classifier\.epochs"
    )
    with pytest.warns(LearnedNothing, match=called_out):
        assert run(step.main).exit_code == 0
    skill = load(FILE)["0"].skill
    assert skill.unlearned == ["side"] and skill.labels["side"] is not None and skill.labels["side"].p > 0.01
    assert run(reference.main).exit_code == 0
    numbers = read_sealed(Path("data/blocks.classifier.json"), "")["metrics"]
    for name in (
        "fd_floor",
        "fd_pixel_gaussian",
        "precision_ceiling",
        "condition_accuracy_floor",
        "condition_accuracy_ceiling",
    ):
        assert numbers[name] == {"dash": skill.why_nothing}, name
    assert {"value"} <= numbers["classifier_accuracy"].keys() & numbers["classifier_calibration_error"].keys()


def test_a_good_classifier_gives_no_warning(project: Study, run: Callable[..., Result]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", LearnedNothing)
        assert run(step.main).exit_code == 0
    assert load(FILE)["0"].skill.why_nothing == ""


def test_a_store_of_other_settings_is_refused(project: Study, run: Callable[..., Result]) -> None:
    content = {**STUDY, "dataset": STUDY["dataset"] | {"range": [0.0, 1.0]}}
    Path("params.yaml").write_text(yaml.safe_dump(content))
    result = run(step.main)
    assert result.exit_code == 1 and not FILE.exists()
    assert "data/blocks.h5 was made with other settings than those of params.yaml: dataset.range" in result.output


def test_a_missing_store_is_reported(project: Study, run: Callable[..., Result]) -> None:
    Path("data/blocks.h5").unlink()
    result = run(step.main)
    assert result.exit_code == 1
    assert "data/blocks.h5" in result.output and "Traceback" not in result.output
