"""One training step: forward, backward, clipping, optimizers."""

from dataclasses import dataclass

import torch
from lightning_fabric import Fabric
from torch import Tensor

from vaeline.models.contracts import Objective
from vaeline.models.model import Model
from vaeline.study.schema import Training
from vaeline.training.adversary import TrainedAdversary, adversary_of


@dataclass
class Step:
    """One step of the optimizer, and of the adversary's.

    Fabric provides the device and the precision. Its wrappers of model and optimizer serve several processes, and would take a
    tenth of a small model's step.
    """

    model: Model
    optimizer: torch.optim.Adam
    adversary: TrainedAdversary | None
    fabric: Fabric
    gradient_clip: float | None

    def __call__(self, x: Tensor, labels: Tensor, number: int) -> dict[str, Tensor]:
        """Take step `number`, from 1, on a batch; returns the objective and all that is logged, means over the batch."""
        with self.fabric.autocast():
            objective: Objective = self.model(x, labels, number)
        total = objective.total
        self.optimizer.zero_grad(set_to_none=True)
        if self.adversary and objective.adversary is not None:
            self.adversary.optimizer.zero_grad(set_to_none=True)
            # The two have no weight in common: one backward pass serves both.
            self.fabric.backward(total + objective.adversary)
            self.adversary.optimizer.step()
        else:
            self.fabric.backward(total)
        if self.gradient_clip:
            # A gradient that is not finite is reported with the terms, by name.
            self.fabric.clip_gradients(
                self.model, self.optimizer, max_norm=self.gradient_clip, error_if_nonfinite=False
            )
        self.optimizer.step()
        return {"objective": total, **objective.shown}


def stepper(model: Model, settings: Training, fabric: Fabric) -> Step:
    """Bring a model to Fabric's device, and give it its optimizer."""
    model.to(fabric.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    adam = torch.optim.Adam(model.trained_jointly(), lr=settings.learning_rate, fused=True)
    return Step(model, adam, adversary_of(model.regularizer, fabric), fabric, settings.gradient_clip)
