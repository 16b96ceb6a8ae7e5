"""Files of a run say whether they are of a study's settings."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.made_up import VARIANT, study, study_content, write_run
from vaeline.runs.folder import RunKey
from vaeline.runs.settings_check import other_settings
from vaeline.study.reading import check

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("section", "changed", "step"),
    [
        ("variants", {"one": VARIANT | {"latent": 9}}, "train"),
        ("training", {"epochs": 4, "learning_rate": 0.01}, "train"),
        ("sampling", {"grid": 9}, "sample"),
        ("evaluation", {"features": {"name": "classifier"}, "seed": 1}, "evaluate"),
    ],
)
def test_only_the_step_that_read_other_values_is_named(
    tmp_path: Path, section: str, changed: dict[str, object], step: str
) -> None:
    write_run(tmp_path / "results/tiny/runs/one/seed-0", {"nll": 1.0})
    other = check(study_content(("one",)) | {section: changed}, Path("params.yaml"))
    for each in ("train", "sample", "evaluate"):
        assert not other_settings(study(("one",)), RunKey("one", 0), each, tmp_path)
        assert bool(other_settings(other, RunKey("one", 0), each, tmp_path)) == (each == step)


@pytest.mark.parametrize("name", ["variant.yaml", "samples.h5", "evaluation.json"])
def test_a_folder_in_the_place_of_a_file_is_named(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "results/tiny/runs/one/seed-0"
    write_run(folder, {"nll": 1.0})
    (folder / name).unlink()
    (folder / name).mkdir()
    step = {"variant.yaml": "train", "samples.h5": "sample", "evaluation.json": "evaluate"}[name]
    said = other_settings(study(("one",)), RunKey("one", 0), step, tmp_path)
    assert said == f"{folder / name} is a folder, where a file belongs; move the folder away, and run again."


def test_the_check_and_the_table_load_no_torch() -> None:
    code = "import sys, vaeline.runs.settings_check, pipeline_steps.table; print('torch' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    assert ended.stdout == "False\n"
