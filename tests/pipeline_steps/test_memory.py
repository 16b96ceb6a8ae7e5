"""No step, and no reader of a finished run, has a split in memory that is larger than its budget."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from click.testing import Result

import vaeline
from pipeline_steps import classifier, evaluate, reference, report, sample, train
from tests.pipeline_steps.conftest import STUDY
from vaeline.data import on_demand
from vaeline.data.on_disk import OnDisk
from vaeline.evaluation import classifier_training as judges
from vaeline.runs import redrawing, trained_run
from vaeline.study.schema import Study

pytestmark = pytest.mark.filterwarnings("ignore")
SIZES = {"train": 96, "validation": 24, "test": 40}


@pytest.fixture
def largest(project: Study, monkeypatch: pytest.MonkeyPatch) -> dict[int, int]:
    """Images of a split -> the most that were read at once. A split is known by its size; batches have at most 8 images."""
    content = {**STUDY, "study": {**STUDY["study"], "variants": ["plain"], "seeds": [0]}}
    content["training"], content["classifier"] = (
        {**STUDY[part], "batch_size": 8} for part in ("training", "classifier")
    )
    Path("params.yaml").write_text(yaml.safe_dump(content))
    monkeypatch.setenv("VAELINE_MEMORY", "0.0000001")
    for module in (on_demand, judges, evaluate, redrawing, trained_run):
        monkeypatch.setattr(module, "BATCH", 8)
    found, take, whole = dict.fromkeys(SIZES.values(), 0), OnDisk.take, OnDisk.whole

    def recorded(images: OnDisk, rows: np.ndarray) -> np.ndarray:
        found[images._count] = max(found[images._count], len(rows))
        return take(images, rows)

    def recorded_whole(images: OnDisk) -> np.ndarray:
        found[images._count] = images._count
        return whole(images)

    monkeypatch.setattr(OnDisk, "take", recorded)
    monkeypatch.setattr(OnDisk, "whole", recorded_whole)
    return found


def test_no_step_reads_a_split_whole(largest: dict[int, int], run: Callable[..., Result]) -> None:
    of_run: tuple[Any, ...] = ("--variant", "plain", "--seed", 0)
    for step, options in (
        (classifier, ()),
        (reference, ()),
        (train, of_run),
        (sample, of_run),
        (evaluate, of_run),
        (report, ("--partial",)),
    ):
        for size in largest:
            largest[size] = 0
        result = run(step.main, *options)
        assert result.exit_code == 0, f"{step.__name__}: {result.output}"
        assert max(largest.values()) > 0, step.__name__
        assert all(most < size for size, most in largest.items()), f"{step.__name__}: {largest}"
    read_in_python()
    assert all(most < size for size, most in largest.items())


def read_in_python() -> None:
    """What the Python interface and the explorer read."""
    trained = vaeline.load("results/tiny/runs/plain/seed-0")
    trained.sample(3)
    images, labels = trained.split("test").images[:8], trained.split("test").labels[:8]
    trained.reconstruct(images, labels)
    trained.direction("side", "right", images=10)
