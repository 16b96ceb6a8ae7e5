"""The classifier stage writes the classifier of a data set for all its studies."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from click.testing import Result

from pipeline_steps import classifier as step
from vaeline.data.store import read_split
from vaeline.evaluation.classifier import load, predict
from vaeline.study.schema import Study

FILE = Path("data/blocks.classifier.safetensors")


def test_the_stage_writes_an_accurate_classifier(project: Study, run: Callable[..., Result]) -> None:
    result = run(step.main)
    assert result.exit_code == 0, result.output
    test = read_split(Path("data/blocks.h5"), "test")
    assert np.mean(predict(load(FILE), torch.from_numpy(test.images)).numpy() == test.labels) > 0.95
    assert [path.name for path in Path("data").iterdir() if path.name.startswith(".")] == []


def test_running_it_twice_writes_the_same_bytes(project: Study, run: Callable[..., Result]) -> None:
    run(step.main)
    first = FILE.read_bytes()
    run(step.main)
    assert FILE.read_bytes() == first


def test_a_missing_store_is_reported(project: Study, run: Callable[..., Result]) -> None:
    Path("data/blocks.h5").unlink()
    result = run(step.main)
    assert result.exit_code == 1
    assert "data/blocks.h5" in result.output and "Traceback" not in result.output
