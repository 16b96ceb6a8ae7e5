"""A tiny variant and its training, for the tests of this folder."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric

from vaeline.data.batches import Batches
from vaeline.data.facts import Facts
from vaeline.data.store import Split
from vaeline.models.model import Model
from vaeline.study.recipe import Recipe
from vaeline.study.schema import Training, Variant
from vaeline.training.checkpoints import Checkpoints
from vaeline.training.job import Job, fresh_model
from vaeline.training.loop import train
from vaeline.training.tally import Row

FACTS = Facts(
    "tiny", (1, 8, 8), 17, (-1.0, 1.0), ["digit"], [["0", "1"]], counts={"train": 40, "validation": 12, "test": 4}
)
VARIANT = {
    "network": {"name": "mlp", "widths": [16]},
    "latent": 2,
    "condition": {"embedding": 3},
    "posterior": {"name": "gaussian"},
    "prior": {"name": "conditional_flow"},
    "likelihood": {"name": "optimal_sigma"},
    "regularizer": {"name": "kl", "warmup": 5},
}


class Killed(Exception):
    pass


def split(count: int) -> Split:
    generator = np.random.default_rng(count)
    images = (generator.random((count, 1, 8, 8)) * np.linspace(0, 17, 8)).astype(np.uint8)
    return Split(images, np.arange(count)[:, None] % 2, [str(index) for index in range(count)])


def run(name: str, on_epoch: Callable[[Row], None] = lambda row: None, **settings: Any) -> tuple[Model, list[Row]]:
    variant = {**VARIANT, **settings.pop("variant", {})}
    training = Training.model_validate(
        {"epochs": 4, "learning_rate": 0.01, "batch_size": 16, "flip": True, "rotation": 5, **settings}
    )
    model = fresh_model(Recipe(Variant.model_validate(variant), training), FACTS, 0)
    job = Job(model, Batches(split(40), FACTS, 16), Batches(split(12), FACTS, 16), training, seed=0)
    fabric = Fabric(accelerator="cpu", devices=1, precision=training.precision)
    return model, train(job, Checkpoints(name, {}), fabric, on_epoch)


def same(one: Model, other: Model) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


def kill_after(epoch: int) -> Callable[[Row], None]:
    def on_epoch(row: Row) -> None:
        if row["epoch"] == epoch:
            raise Killed

    return on_epoch
