"""A study of untrained models with random weights, and the store of their images."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

from tests.conftest import scramble
from tests.made_up import identity
from vaeline.data import splits, store
from vaeline.data.facts import Facts
from vaeline.data.store import Split
from vaeline.explorer.runs import Runs, find
from vaeline.explorer.views import Explorer
from vaeline.models.model import Model
from vaeline.runs import model_files
from vaeline.study.reading import load
from vaeline.study.schema import Study

PLAIN: dict[str, Any] = {
    "network": {"name": "mlp", "widths": [16]}, "latent": 3, "condition": None, "posterior": {"name": "gaussian"},
    "prior": {"name": "standard"}, "likelihood": {"name": "unit_gaussian"}, "regularizer": {"name": "kl"},
}  # fmt: skip
STUDY: dict[str, Any] = {
    "study": {"name": "tiny", "question": "Which?", "variants": ["small", "large", "plain"], "seeds": [0, 1]},
    "dataset": {"id": "blots", "name": "digits", "size": 8},
    "training": {"epochs": 2, "batch_size": 32, "learning_rate": 0.005},
    "classifier": {"epochs": 1},
    "sampling": {},
    "evaluation": {"features": {"name": "classifier"}},
    "variants": {
        "small": PLAIN | {"condition": {"embedding": 2}},
        "large": PLAIN | {"condition": {"embedding": 2}, "latent": 5},
        "plain": PLAIN,
    },
}
MISSING = ("large", 1)


def make(folder: Path) -> Study:
    """Write a project in which one run of the study is missing."""
    (folder / "params.yaml").write_text(yaml.safe_dump(STUDY))
    study = load(folder / "params.yaml")
    facts = Facts("blots", (1, 8, 8), 256, (0.0, 1.0), ["shape", "dark"], [["round", "square", "odd"], ["no", "yes"]])
    facts = store.write(folder / "data/blots.h5", facts, {name: split(facts, 40) for name in splits.SPLITS})
    for index, (variant, entry) in enumerate(study.variants.items()):
        for seed in study.study.seeds:
            if (variant, seed) != MISSING:
                torch.manual_seed(10 * index + seed)
                place = folder / f"results/tiny/runs/{variant}/seed-{seed}"
                model_files.save(place, scramble(Model(entry, facts)), facts, identity(study, variant, seed, place))
    return study


def split(facts: Facts, count: int) -> Split:
    generator = np.random.default_rng(0)
    labels = np.stack([generator.integers(0, values, count) for values in facts.label_cardinalities], 1)
    labels[labels[:, 0] == 2, 1] = 0  # nothing odd is dark
    images = generator.integers(0, facts.levels, (count, *facts.image_shape)).astype(np.uint8)
    return Split(images, labels, [f"{row}" for row in range(count)])


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """The study of a project written to `tmp_path`."""
    return make(tmp_path)


@pytest.fixture
def runs(study: Study, tmp_path: Path) -> Runs:
    return find(study, tmp_path)


@pytest.fixture
def explorer(runs: Runs) -> Explorer:
    return Explorer(runs)
