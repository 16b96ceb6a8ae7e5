"""The stages of a training: its regularizer's network is fitted before it, and a density after it; each has checkpoints of its own."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from lightning_fabric import Fabric

from vaeline.data.facts import Facts
from vaeline.study.recipe import Recipe
from vaeline.training.checkpoints import Checkpoints
from vaeline.training.job import Job, what_decides
from vaeline.training.loop import train
from vaeline.training.pretraining import pretrain
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
    device = job.train.labels.device
    fabric = Fabric(accelerator=device.type, devices=1, precision=job.settings.precision)
    losses = pretrain(job.model, job.train, job.seed, stages.pretraining)
    return losses, train(job, stages.training, fabric, on_epoch)
