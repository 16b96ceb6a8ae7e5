"""What one training is of, and all that decides its result."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import torch

from vaeline.data.batches import Batches
from vaeline.data.facts import Facts
from vaeline.data.store import read_split, require_images
from vaeline.models.model import Model
from vaeline.study.recipe import Recipe
from vaeline.study.schema import Training
from vaeline.system.memory import budget
from vaeline.system.seeds import derive_seed
from vaeline.training.initialisation import initialise


class Source(NamedTuple):
    """What a job is prepared from."""

    recipe: Recipe
    facts: Facts
    store: Path


@dataclass(frozen=True)
class Job:
    """A model, the images it is trained on, and how."""

    model: Model  # freshly built from `seed`
    train: Batches  # training split, on the device
    validation: Batches  # validation split, on the device
    settings: Training
    seed: int  # of the run
    source: Source | None = None  # from which another process can prepare it; None for a job of one process


def prepare(recipe: Recipe, facts: Facts, store: Path, seed: int, device: torch.device) -> Job:
    """Read the images that a training needs, and build its model.

    Args:
        recipe: of the training.
        facts: of its images.
        store: with the images; the test split is not read.
        seed: of the run.
        device: that it runs on.

    Raises:
        UserError: the store is damaged, or holds other images.
    """
    batches, validation = (
        Batches(
            read_split(store, split, budget() // recipe.training.processes), facts, recipe.training.batch_size, device
        )
        for split in ("train", "validation")
    )
    require_images(store, facts)  # no new store came between the facts and the images
    source = Source(recipe, facts, store)
    return Job(fresh_model(recipe, facts, seed), batches, validation, recipe.training, seed, source)


def fresh_model(recipe: Recipe, facts: Facts, seed: int) -> Model:
    """The model of a recipe, with its weights drawn from the seed."""
    torch.manual_seed(derive_seed("weights", seed))
    model = Model(recipe.variant, facts)
    initialise(model, recipe.training)
    return model


def what_decides(recipe: Recipe, facts: Facts, code: str, seed: int, device: torch.device) -> dict[str, object]:
    """All that decides the bytes of a training, except the number of epochs, unless the learning rate depends on that.

    Args:
        recipe: of the training.
        facts: of its images.
        code: the hash of its code.
        seed: of the run.
        device: that it runs on.
    """
    epochs = set() if recipe.training.schedule == "cosine" else {"epochs"}
    return {
        "training": recipe.training.model_dump(mode="json", exclude=epochs),
        "variant": recipe.variant.model_dump(mode="json", exclude={"training"}),  # which the training includes
        "data": {**asdict(facts), "preprocessing": None},  # includes the checksums, and how levels become x
        "code": code,
        "seed": seed,
        "device": device.type,
        "torch": torch.__version__,
    }
