"""The reference stage measures the real test images in the feature space of the evaluation."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from pipeline_steps import classifier, reference
from vaeline.study.schema import Study

NUMBERS = Path("data/blocks.classifier.json")
STATISTICS = Path("data/blocks.classifier.reference.safetensors")


def test_the_stage_gives_floors_and_ceilings_of_metrics(project: Study, run: Callable[..., Result]) -> None:
    run(classifier.main)
    result = run(reference.main)
    assert result.exit_code == 0, result.output
    metrics = {name: how["value"] for name, how in json.loads(NUMBERS.read_text())["metrics"].items() if "value" in how}
    assert 0 < metrics["fd_floor"] < metrics["fd_pixel_gaussian"]
    assert metrics["condition_accuracy_ceiling"] > 0.9
    assert metrics["condition_accuracy_floor"] == pytest.approx(0.5, abs=0.1)


def test_running_it_twice_writes_the_same_bytes(project: Study, run: Callable[..., Result]) -> None:
    run(classifier.main)
    run(reference.main)
    first = NUMBERS.read_bytes(), STATISTICS.read_bytes()
    run(reference.main)
    assert (NUMBERS.read_bytes(), STATISTICS.read_bytes()) == first


def test_a_missing_classifier_is_reported(project: Study, run: Callable[..., Result]) -> None:
    result = run(reference.main)
    assert result.exit_code == 1
    assert "blocks.classifier.safetensors" in result.output and "Traceback" not in result.output
