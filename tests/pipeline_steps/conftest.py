"""A tiny project: a study of two quick variants on made-up digits."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
import yaml
from click.testing import CliRunner, Result

from tests.made_up import write_choices
from vaeline.data import store
from vaeline.data.facts import Facts
from vaeline.data.paths import DataFiles
from vaeline.data.store import Split
from vaeline.study import step_settings
from vaeline.study.reading import load
from vaeline.study.schema import Study
from vaeline.study.step_settings import settings_of_store

STUDY = {
    "study": {"name": "tiny", "variants": ["plain", "flow"], "seeds": [0, 1]},
    "dataset": {"id": "blocks", "name": "digits", "size": 8},
    "training": {"epochs": 2, "batch_size": 32, "learning_rate": 0.005},
    "classifier": {"epochs": 20, "width": 8, "features": 8, "threads": 1, "learning_rate": 0.01},
    "sampling": {"grid": 8},
    "evaluation": {"likelihood": {"samples": 20, "budget": 100}, "bound_samples": 2, "features": {"name": "classifier"}},
    "variants": {
        "plain": {
            "network": {"name": "mlp", "widths": [16]}, "latent": 2, "condition": {"embedding": 2},
            "posterior": {"name": "gaussian"}, "prior": {"name": "standard"}, "likelihood": {"name": "unit_gaussian"},
            "regularizer": {"name": "kl"},
        },
        "flow": {
            "network": {"name": "mlp", "widths": [16]}, "latent": 2, "condition": {"embedding": 2},
            "posterior": {"name": "gaussian"}, "prior": {"name": "conditional_flow"}, "likelihood": {"name": "optimal_sigma"},
            "regularizer": {"name": "kl"},
        },
    },
}  # fmt: skip


def blocks(count: int, seed: int) -> Split:
    """Noisy 8x8 images whose bright half, left or right, is their class."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 2, (count, 1))
    images = generator.integers(0, 6, (count, 1, 8, 8), dtype=np.uint8)
    for image, (label,) in zip(images, labels, strict=True):
        image[0, :, 4 * label : 4 * label + 4] += 10
    return Split(images, labels.astype(np.int64), [f"{seed}-{index}" for index in range(count)])


def write_project(seed: int = 0) -> None:
    """Write params.yaml and a store of 96 + 24 + 40 images into the current folder."""
    Path("params.yaml").write_text(yaml.safe_dump(STUDY))
    sizes = {"train": 96, "validation": 24, "test": 40}
    write_store({name: blocks(count, seed + place) for place, (name, count) in enumerate(sizes.items(), start=1)})
    write_choices(load())


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    """The current folder holds params.yaml and a store of 96 + 24 + 40 images. Tests may declare a step `tested`."""
    monkeypatch.setitem(step_settings.READS, "tested", ("training", "variants.plain"))
    monkeypatch.chdir(tmp_path)
    write_project()
    return load()


def write_store(splits: dict[str, Split], names: tuple[str, ...] = ("side",), **changes: Any) -> Facts:
    """Write the store of the study in the current folder, with labels of two values."""
    study = load()
    values = [["left", "right"], *[["no", "yes"]] * (len(names) - 1)]
    facts = Facts(study.dataset.id, (1, 8, 8), 17, (-1.0, 1.0), list(names), values)
    settings = {"settings": settings_of_store(study.dataset)}
    return store.write(DataFiles(study.dataset.id).store, replace(facts, preprocessing=settings, **changes), splits)


@pytest.fixture
def run() -> Callable[..., Result]:
    """Run a command with arguments; returns its result."""

    def invoke(command: click.Command, *words: object) -> Result:
        return CliRunner().invoke(command, [str(word) for word in words])

    return invoke
