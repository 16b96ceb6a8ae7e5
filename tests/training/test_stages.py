import warnings
from pathlib import Path

import pytest

from tests.training.tiny import FACTS, VARIANT, split
from vaeline.data.batches import Batches
from vaeline.study.recipe import Recipe
from vaeline.study.schema import Training, Variant
from vaeline.training.job import Job, fresh_model
from vaeline.training.stages import fabric_of


def test_a_machine_with_slurm_makes_no_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    srun = tmp_path / "srun"
    srun.write_text("#!/bin/sh\n", encoding="utf-8")
    srun.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    training = Training.model_validate({"epochs": 1, "learning_rate": 0.01, "batch_size": 16})
    model = fresh_model(Recipe(Variant.model_validate(VARIANT), training), FACTS, 0)
    job = Job(model, Batches(split(40), FACTS, 16), Batches(split(12), FACTS, 16), training, seed=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert fabric_of(job).device.type == "cpu"
