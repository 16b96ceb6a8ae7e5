"""The files that studies share are used only by studies of the same settings."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import Result

from pipeline_steps import classifier, download, preprocess, reference
from tests.pipeline_steps.conftest import STUDY, project, run  # noqa: F401  (fixtures)
from vaeline.evaluation import given_weights
from vaeline.evaluation.shared_files import other_settings
from vaeline.study.reading import load
from vaeline.study.schema import Study

STEPS = {"download": download, "preprocess": preprocess, "classifier": classifier, "reference": reference}


def with_changes(**sections: dict[str, Any]) -> Study:
    """The study after an edit of params.yaml."""
    content = {**STUDY, **{name: STUDY[name] | changes for name, changes in sections.items()}}
    Path("params.yaml").write_text(yaml.safe_dump(content))
    return load()


@pytest.fixture
def made(project: Study, run: Callable[..., Result]) -> Study:  # noqa: F811
    """A project with all four files."""
    for step in (download, classifier, reference):
        assert run(step.main).exit_code == 0
    return project


def test_files_of_the_study_are_right(made: Study) -> None:
    assert {step: other_settings(made, step) for step in STEPS} == dict.fromkeys(STEPS, "")


@pytest.mark.parametrize(
    ("changes", "stale"),
    [
        ({"dataset": {"size": 10}}, {"preprocess": "dataset.size 8, now 10"}),
        ({"dataset": {"source": "elsewhere"}}, {"download": "source 'download', now 'elsewhere'"}),
        ({"classifier": {"epochs": 19}}, {"classifier": "classifier.epochs 20, now 19"}),
        ({"sampling": {"count": 30}}, {"reference": "sampling.count 10000, now 30"}),
        ({"evaluation": {"by_label": True}}, {"reference": "evaluation.by_label False, now True"}),
        (
            {"training": {"device": "cpu"}},
            {"classifier": "training.device 'auto', now 'cpu'", "reference": "training.device"},
        ),
    ],
)
def test_files_of_other_settings_are_named(made: Study, changes: dict[str, Any], stale: dict[str, str]) -> None:
    study = with_changes(**changes)
    for step in STEPS:
        found = other_settings(study, step)
        assert stale[step] in found and f"pipeline_steps.{step}" in found if step in stale else found == "", step


def test_a_manifest_of_other_source_files_is_named(made: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    """DVC does not see a file behind a linked folder, or one whose size and time are as they were."""
    monkeypatch.setattr("vaeline.data.source_fingerprint.of_source", lambda dataset: "another")
    assert "is of other files than those in download" in other_settings(made, "download")


def test_absent_and_damaged_files_are_named(made: Study) -> None:
    for path in Path("data").rglob("blocks*"):
        path.write_bytes(path.read_bytes()[:100])
    assert all(
        "is damaged" in found or "or is damaged" in found for found in (other_settings(made, step) for step in STEPS)
    )
    for path in Path("data").rglob("blocks*"):
        path.unlink()
    assert all(other_settings(made, step).startswith("There is no data/") for step in STEPS)


def test_torch_is_not_needed() -> None:
    code = "import sys, vaeline.evaluation.shared_files, vaeline.evaluation.reference_numbers; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_reference_of_other_weights_is_named(made: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = json.loads(Path("data/blocks.classifier.json").read_text())["spaces"]["0"]["weights"]
    monkeypatch.setattr(given_weights, "fingerprint", lambda study: kept)
    assert other_settings(made, "reference") == ""
    monkeypatch.setattr(given_weights, "fingerprint", lambda study: "of another file")
    assert "was measured with other weights than those of evaluation.features" in other_settings(made, "reference")
