"""What one training is of."""

from dataclasses import dataclass

from vaeline.data.batches import Batches
from vaeline.models.model import Model
from vaeline.study.schema import Training


@dataclass(frozen=True)
class Job:
    """A model, the images it is trained on, and how."""

    model: Model  # freshly built from `seed`
    train: Batches  # training split, on the device
    validation: Batches  # validation split, on the device
    settings: Training
    seed: int  # of the run
