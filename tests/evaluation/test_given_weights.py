"""Weights that are given by their path are an input of the reference."""

import os
from pathlib import Path

import pytest

from tests.pipeline_steps.conftest import STUDY
from vaeline.evaluation import given_weights
from vaeline.study.schema import Study
from vaeline.system.errors import UserError


@pytest.mark.parametrize("kind", ["device", "pipe", "folder"])
def test_weights_that_are_no_regular_file_are_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "weights.pth"
    {"device": lambda: path.symlink_to("/dev/zero"), "pipe": lambda: os.mkfifo(path), "folder": path.mkdir}[kind]()
    features = {"name": "inception", "weights": str(path)}
    study = Study.model_validate(STUDY | {"evaluation": {"features": features}})
    with pytest.raises(UserError, match="weights.pth.* give the path of the file"):
        given_weights.fingerprint(study)
