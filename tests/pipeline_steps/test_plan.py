"""The cost of a study on the command line: every step that has jobs is counted, guessed or named."""

from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from pipeline_steps import plan
from tests.made_up import study, write_store
from vaeline.runs.folder import StudyFolder
from vaeline.system.files import write_json


def write_params(**dataset: object) -> None:
    """Write a study with two trials of each variant."""
    content = study().model_dump(mode="json")
    content["tuning"] |= {"trials": [0, 1], "epochs": 1, "space": {"latent": {"whole": [2, 4]}}}
    content["dataset"] |= dataset
    Path("params.yaml").write_text(yaml.safe_dump(content))


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project in which nothing has run."""
    monkeypatch.chdir(tmp_path)
    write_params()


def planned() -> str:
    done = CliRunner().invoke(plan.main)
    assert (done.exit_code != 0) == done.output.startswith("Error: ")
    return done.output


def test_before_the_images_are_there_a_plan_has_jobs_alone() -> None:
    said = planned()
    assert "Jobs: 32 (code 1, download 1," in said and "trial 4" in said and "train 6" in said
    assert "Hours: unknown before the images are there; run `python -m pipeline_steps.preprocess`" in said
    assert "Disk: unknown before the images are there" in said


def test_a_plan_says_where_hours_are_from_and_which_are_not_known() -> None:
    write_store(Path("data/dots.h5"), study())
    write_json(StudyFolder("tiny").run("one", 0) / "timing.json", {"train": {"seconds": 600, "host": "here"}})
    said = planned()
    assert "Hours, one job after the other: 1.00 (trial 0.00, train 1.00)." in said
    assert "By the times of jobs that have run (timing.json): train." in said and "By a rule of thumb: trial." in said
    assert "Not included: download, preprocess, classifier, reference, sample, evaluate, report." in said
    assert "Disk: 0.0" in said and "store 0.0" in said and "checkpoints 0.0" in said, said


def test_a_plan_is_made_of_no_store_of_other_settings() -> None:
    write_store(Path("data/dots.h5"), study())
    write_params(size=64)
    assert "dataset.size 8, now 64; run `python -m pipeline_steps.preprocess` again" in planned()
