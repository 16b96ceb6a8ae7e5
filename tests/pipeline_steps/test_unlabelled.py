"""The steps on images without labels, which are rectangles: what needs a label is a dash with the reason."""

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import vaeline
from pipeline_steps import (
    choose,
    classifier,
    design,
    download,
    draw,
    evaluate,
    preprocess,
    reference,
    report,
    sample,
    train,
)
from tests.data.sets.sources import encoded, picture, write_files
from vaeline.study import reading, ready_studies
from vaeline.system.errors import UserError
from vaeline.system.tensor_headers import read_about

WHY = "the images have no labels"
VAE: dict[str, Any] = {
    "network": {"name": "conv", "width": 4, "depth": 2}, "latent": 2, "posterior": {"name": "gaussian"}, "prior": {"name": "standard"},
    "likelihood": {"name": "optimal_sigma"}, "regularizer": {"name": "kl"},
}  # fmt: skip
COUNT = 60


def write_study(variant: dict[str, Any], features: str = "principal_components", **dataset: object) -> None:
    content = {
        "study": {"name": "photos", "variants": ["vae"], "seeds": [0]},
        "dataset": {"id": "photos", "name": "image_folder", "source": "photos", "size": [8, 12], **dataset},
        "training": {"epochs": 1, "batch_size": 16, "learning_rate": 0.01, "device": "cpu", "flip": True, "rotation": 10.0},
        "classifier": {"epochs": 1, "width": 4, "features": 4, "threads": 1},
        "sampling": {"grid": 4},
        "evaluation": {"likelihood": {"samples": 20, "budget": 100}, "bound_samples": 2, "features": {"name": features}, "by_label": True},
        "variants": {"vae": variant},
    }  # fmt: skip
    Path("params.yaml").write_text(ready_studies.as_yaml(reading.check(content, Path("params.yaml"))))


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A flat folder of images."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(train, "_curves", lambda *_: nullcontext())
    monkeypatch.setattr(train, "_log", lambda *_: None)
    write_files(tmp_path / "photos", {f"{number}.png": encoded(picture(number), "PNG") for number in range(COUNT)})
    return tmp_path


def run(step: object, *arguments: str, fails: bool = False) -> str:
    result = CliRunner().invoke(step.main, arguments)  # type: ignore[attr-defined]
    assert (result.exit_code != 0) == fails, result.output
    return result.output


def test_images_without_labels_go_through_every_step(photos: Path) -> None:
    write_study(VAE)
    for step in (download, preprocess, classifier, reference):
        run(step)
    assert read_about(Path("data/photos.classifier.safetensors"), "")["skipped"] == WHY
    for step in (design, choose):
        run(step, "--variant", "vae")
    for step in (train, sample, evaluate):
        run(step, "--variant", "vae", "--seed", "0")
    run(report)
    folder = Path("results/photos/runs/vae/seed-0")
    entries = json.loads((folder / "evaluation.json").read_text())["metrics"]
    assert {"negative_elbo", "nll", "skl", "fd_sample", "kd_sample", "precision"} <= {
        name for name, entry in entries.items() if "value" in entry
    }
    for name in ("condition_accuracy", "probe_linear", "probe_neighbours", "mig"):
        assert entries[name] == {"dash": WHY}
    assert entries["fd_sample"]["features"].endswith("principal components of the training pixels")
    numbers = json.loads(Path("data/photos.principal_components.json").read_text())["metrics"]
    assert numbers["condition_accuracy_ceiling"] == {"dash": WHY} and numbers["fd_floor"]["value"] > 0
    assert (
        "linear in the pixels" in numbers["fd_pixel_gaussian"]["dash"]
    )  # 0 by construction, which would shame every run
    with h5py.File(folder / "samples.h5") as file:
        assert file["samples"].shape == (12, 3, 8, 12) and file["labels"].shape == (12, 0)
    assert "12×8 pixels" in Path("results/photos/report.html").read_text()
    run(draw, str(folder), "--count", "3", "--out", "drawn.png")
    trained = vaeline.load(folder)
    assert trained.sample(3, seed=1).shape == (3, 3, 8, 12)
    assert trained.reconstruct(trained.split("test").images).shape == (12, 3, 8, 12)


def test_a_model_with_labels_is_refused_before_it_is_trained(photos: Path) -> None:
    write_study({**VAE, "condition": {"embedding": 2}})
    run(download)
    run(preprocess)
    assert (
        "variants.vae: condition makes labels a part of the model, but the images of photos have none; set condition to null, "
        "or remove the variant from study.variants." in run(classifier, fails=True)
    )


def test_a_feature_space_that_needs_labels_is_refused_before_training(photos: Path) -> None:
    write_study(VAE, features="classifier")
    run(download)
    run(preprocess)
    assert "set evaluation.features to {name: principal_components, dimensions: 64} or {name: inception}" in run(
        classifier, fails=True
    )
    with pytest.raises(UserError, match="dataset.labels none leaves no label .* principal_components"):
        write_study(VAE, features="classifier", labels="none")


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
def test_the_store_has_the_size_and_fit_that_were_asked_for(photos: Path, fit: str) -> None:
    white = Image.new("RGB", (30, 30), "white")  # square, where 8x12 was asked for
    write_files(photos / "photos", {f"{number}.png": encoded(white, "PNG") for number in range(COUNT)})
    write_study(VAE, fit=fit)
    run(download)
    said = run(preprocess)
    with h5py.File("data/photos.h5") as file:
        images = file["train/images"][...]
    assert images.shape[1:] == (3, 8, 12)
    bars = np.ones((8, 12), bool)
    bars[:, 2:10] = False
    assert (images[..., ~bars] == 255).all() and (images[..., bars] == (0 if fit == "pad" else 255)).all()
    assert said == "" or fit in said or "resized" in said or "stretched" in said
