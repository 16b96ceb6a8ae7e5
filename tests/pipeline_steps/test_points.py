"""The steps on points; steps that need images have nothing to do."""

import json
from contextlib import nullcontext
from pathlib import Path

import h5py
import pytest
import yaml
from click.testing import CliRunner

from pipeline_steps import classifier, download, draw, evaluate, preprocess, reference, sample, train
from tests.made_up import write_choices
from vaeline.study import reading, ready_studies
from vaeline.system.sealed_files import read_sealed

VARIANT = {
    "network": {"name": "mlp", "widths": [8]}, "latent": 2, "posterior": {"name": "gaussian"}, "prior": {"name": "decoupled"},
    "likelihood": {"name": "fixed_sigma"}, "regularizer": {"name": "kl"},
}  # fmt: skip


@pytest.fixture
def moons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    study = reading.check(
        {
            "study": {"name": "moons", "variants": ["dp"], "seeds": [0]},
            "dataset": {"id": "moons", "name": "two_moons", "size": None, "limit": 600},
            "training": {"epochs": 2, "learning_rate": 0.01, "device": "cpu"},
            "evaluation": {
                "likelihood": {"samples": 20, "budget": 100},
                "images": 20,
                "features": {"name": "classifier"},
            },
            "variants": {"dp": VARIANT},
        },
        Path("params.yaml"),
    )
    Path("params.yaml").write_text(ready_studies.as_yaml(study))
    return tmp_path


def run(step: object, *arguments: str) -> None:
    result = CliRunner().invoke(step.main, arguments)  # type: ignore[attr-defined]
    assert result.exit_code == 0, result.output


def test_points_go_through_every_step(moons: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "_curves", lambda *_: nullcontext())
    monkeypatch.setattr(train, "_log", lambda *_: None)
    for step in (download, preprocess, classifier, reference):
        run(step)
    skipped = read_sealed(Path("data/moons.classifier.json"), "")
    assert skipped["skipped"] == "the data are points, not images"
    write_choices(reading.load())
    for step in (train, sample, evaluate):
        run(step, "--variant", "dp", "--seed", "0")
    folder = Path("results/moons/runs/dp/seed-0")
    metrics = json.loads((folder / "metrics.json").read_text())
    evaluation = json.loads((folder / "evaluation.json").read_text())["metrics"]
    assert {"negative_elbo", "nll", "skl", "mutual_information"} <= metrics.keys()
    assert (
        evaluation["fd_sample"]["dash"] == evaluation["condition_accuracy"]["dash"] == "the data are points, not images"
    )
    assert (folder / "samples.png").read_bytes().startswith(b"\x89PNG")
    with h5py.File(folder / "samples.h5") as file:
        assert file["samples"].shape == (120, 2) and file["samples"].dtype == "float32"
        assert file["low_posterior_codes"].shape == (120, 2) and "traversals" not in file
        assert file["low_posterior"].shape == file["high_posterior"].shape == (10, 2)
    assert yaml.safe_load((folder / "variant.yaml").read_text())["facts"]["pixels"] == "points"
    run(draw, str(folder), "--count", "5", "--out", "drawn.png")
    assert Path("drawn.png").read_bytes().startswith(b"\x89PNG")
