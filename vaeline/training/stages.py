"""The stages of a training: its regularizer's network is fitted before it, and a density after it; each has checkpoints of its own."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments.lightning import LightningEnvironment

from vaeline.data.facts import Facts
from vaeline.study.recipe import Recipe
from vaeline.study.schema import Training, Variant
from vaeline.system.devices import of_process, prepare_process
from vaeline.training.checkpoints import Checkpoints
from vaeline.training.job import Job, prepare, what_decides
from vaeline.training.loop import train
from vaeline.training.pretraining import pretrain
from vaeline.training.processes import processes
from vaeline.training.tally import Row


class Stages(NamedTuple):
    """The checkpoints of each stage."""

    pretraining: Checkpoints
    training: Checkpoints
    density: Checkpoints

    @property
    def seconds(self) -> float:
        """What the stages took up to their last checkpoints, over all their processes."""
        return sum(each.seconds for each in self)


def stages_of(name: str, recipe: Recipe, facts: Facts, code: str, seed: int, device: torch.device) -> Stages:
    """The checkpoints of a training. Those of its density depend on the number of its epochs too.

    Args:
        name: of the training, for people who read the folders.
        recipe: and the others as `what_decides` takes them.
    """
    decides = what_decides(recipe, facts, code, seed, device)
    whole = {**decides, "training": recipe.training.model_dump(mode="json")}
    return Stages(
        Checkpoints(f"{name}-pretraining", decides), Checkpoints(name, decides), Checkpoints(f"{name}-density", whole)
    )


def pretrain_and_train(job: Job, stages: Stages, on_epoch: Callable[[Row], None]) -> tuple[list[float], list[Row]]:
    """Fit the network that the regularizer brings, if any, and then train the model.

    Args:
        job: what is trained.
        stages: its checkpoints.
        on_epoch: is called with the row of each epoch of the training.

    Returns:
        The losses of the first fit, as `pretrain` returns them, and the rows of the training, as `train` does.

    Raises:
        UserError: one of the two has diverged.
    """
    losses = pretrain(job.model, job.train, job.seed, stages.pretraining)
    with processes(job.settings.processes, _share_training, _shared(job, stages)):
        return losses, train(job, stages.training, fabric_of(job), on_epoch)


def fabric_of(job: Job) -> Fabric:
    """Fabric for this process. A queue's environment is not looked for: our processes are started by the first of them."""
    device = job.train.labels.device
    return Fabric(
        accelerator=device.type,
        devices=1 if device.index is None else [device.index],
        precision=job.settings.precision,
        plugins=LightningEnvironment(),
    )


class Shared(NamedTuple):
    """What another process needs to share a training. A class of options that was read from a file cannot be sent to it."""

    variant: dict[str, Any]  # as in params.yaml
    training: dict[str, Any]  # as in params.yaml
    facts: Facts
    store: Path
    seed: int
    device: torch.device  # of the first process
    stages: Stages


def _shared(job: Job, stages: Stages) -> Shared | None:
    """None for a job of one process."""
    if job.source is None:
        return None
    recipe, facts, store = job.source
    entries = recipe.variant.model_dump(mode="json"), recipe.training.model_dump(mode="json")
    return Shared(*entries, facts, store, job.seed, job.train.labels.device, stages)


def _share_training(meet: Callable[[], None], number: int, threads: int, of: Shared) -> None:
    """The training in another process than the first: it reads the checkpoints of the first one, and writes no file."""
    prepare_process(threads)
    recipe = Recipe(Variant.model_validate(of.variant), Training.model_validate(of.training))
    job = prepare(recipe, of.facts, of.store, of.seed, of_process(of.device, number))
    # The first process has finished this: it is read.
    pretrain(job.model, job.train, of.seed, of.stages.pretraining)
    meet()
    train(job, of.stages.training, fabric_of(job), lambda row: None)
