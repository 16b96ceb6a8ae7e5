"""Our stages at a given size; `benchmarks/curves.py` lists the sizes."""

import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import torch
import yaml

from benchmarks.race import ROOT
from benchmarks.side import Work
from benchmarks.sides.ours_training import GREYS, PLAIN, epochs
from benchmarks.work import TRAINING, celeba, digits
from vaeline.data import preprocessing, raw_images
from vaeline.data.batches import Batches
from vaeline.data.store import Split
from vaeline.evaluation.likelihood import measure_likelihood
from vaeline.metrics import _moments
from vaeline.models import sampling
from vaeline.models.model import Model
from vaeline.study import parts
from vaeline.study.schema import Dataset, Evaluation, LikelihoodEstimate, Variant
from vaeline.system.devices import prepare_process
from vaeline.system.memory import keep_memory

BATCH = TRAINING["mlp"]["batch"]


def preprocess(images: str) -> Work:
    """Preprocess photographs into a store."""
    keep_memory()
    source = celeba(int(images))
    content = {"id": "faces", "name": "celeba", "source": str(source), "size": 86, "split": {"method": "random"}}
    dataset = Dataset.model_validate(content)
    manifest, path = raw_images.fetch(dataset), Path(tempfile.mkdtemp()) / "images.h5"

    def work() -> float:
        preprocessing.preprocess(dataset, manifest, path, 1)
        return 1

    return work


def train_images(images: str) -> Work:
    """Train for one epoch of a number of images."""
    return _train(int(images), 16)


def train_latent(latent: str) -> Work:
    """Train for one epoch with a latent of a given size."""
    return _train(4000, int(latent))


def sample(images: str) -> Work:
    """Sample images."""
    prepare_process(1)
    model, labels = _model(16).eval(), torch.zeros(int(images), 1, dtype=torch.int64)

    def work() -> float:
        for _ in sampling.sample(model, labels, GREYS, 0, 256):
            pass
        return 1

    return work


def likelihood_images(images: str) -> Work:
    """Estimate the likelihood of a number of images."""
    return _likelihood(int(images), 500)


def likelihood_samples(samples: str) -> Work:
    """Estimate the likelihood with a number of importance samples."""
    return _likelihood(50, int(samples))


def moments(images: str) -> Work:
    """Compute the mean and covariance of features as wide as Inception's, batch by batch."""
    rows, dimensions = int(images), 2048
    batch = np.random.default_rng(0).standard_normal((500, dimensions), np.float32)
    batches = [batch + number for number in range(4)]

    def work() -> float:
        _moments.moments(batches[number % 4] for number in range(rows // 500))
        return 1

    return work


def plan(variants: str) -> Work:
    """Plan the default study with a number of variants, in a clone without results."""
    folder = Path(tempfile.mkdtemp()) / "project"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    content = yaml.safe_load((folder / "params.yaml").read_text())
    names = [f"variant_{number}" for number in range(int(variants))]
    content["study"]["variants"] = names
    content["variants"] = dict.fromkeys(names, next(iter(content["variants"].values())))
    (folder / "params.yaml").write_text(yaml.safe_dump(content))

    def work() -> float:
        subprocess.run([sys.executable, "-m", "snakemake", "-n", "all"], cwd=folder, check=True, capture_output=True)
        return 1

    return work


def _model(latent: int) -> Model:
    torch.manual_seed(0)
    network = {"name": "mlp", "widths": [512], "activation": "relu"}
    return Model(Variant.model_validate({**PLAIN, "latent": latent, "network": network}), GREYS)


def _train(images: int, latent: int) -> Work:
    labels = torch.zeros(images, 1, dtype=torch.int64)
    epoch = epochs(lambda: _model(latent), GREYS, digits(torch, images), labels, BATCH, "32-true")

    def work() -> float:
        epoch()
        return 1

    return work


def _likelihood(images: int, samples: int) -> Work:
    prepare_process(1)
    warnings.simplefilter("ignore")  # an untrained model warns that its estimate is only a bound
    model = _model(16).eval()
    split = Split(digits(torch, images).numpy(), np.zeros((images, 1), np.int64), [""] * images)
    test = Batches(split, GREYS, 100)
    features = parts.validate("features", {"name": "classifier"})  # required by the schema, not used here
    settings = Evaluation(
        likelihood=LikelihoodEstimate(method="posterior", samples=samples),
        bound_samples=1,
        images=None,
        features=features,
    )

    def work() -> float:
        measure_likelihood(model, test, test, settings)
        return 1

    return work
