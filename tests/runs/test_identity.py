"""The files of a run are of one run, of its weights and of its images."""

from pathlib import Path

import pytest

from tests.made_up import write_run
from vaeline.runs.description import Description
from vaeline.runs.folder import RunKey
from vaeline.runs.identity import about_samples_of, description_of, evaluation_of, samples_of
from vaeline.system.errors import UserError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_run(tmp_path / "results/tiny/runs/one/seed-3", {"nll": 1.0})
    return tmp_path / "results/tiny/runs/one/seed-3"


def test_the_files_of_a_run_are_read_as_its_own(folder: Path) -> None:
    made = description_of(folder, RunKey("one", 3))
    assert about_samples_of(folder, made).seed == evaluation_of(folder, made).of.seed == 3
    assert len(samples_of(folder, made).samples) == len(samples_of(folder, made).labels)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"weights_sha256": "ab12"}, "samples.h5 is of other weights than those that are there now"),
        ({"facts": {"checksums": {"test": "ef56"}}}, "samples.h5 is of other images than the run was trained on"),
        ({"seed": 4}, "samples.h5 is of one seed 3, in the folder of one seed 4"),
    ],
)
def test_images_that_another_run_drew_are_refused(folder: Path, changed: dict[str, object], sentence: str) -> None:
    made = description_of(folder, RunKey("one", 3))
    if "facts" in changed:
        changed = {"facts": type(made.facts)(**{**vars(made.facts), **changed["facts"]})}  # type: ignore[dict-item]
    other = Description.model_validate({**dict(made), **changed})
    with pytest.raises(UserError, match=f"{sentence}.*pipeline_steps.sample"):
        samples_of(folder, other)
