"""One training step: forward, backward, clipping, optimizers."""

from dataclasses import dataclass

import torch
from lightning_fabric import Fabric
from torch import Tensor

from vaeline.models.model import Model, Objective
from vaeline.study.schema import Training
from vaeline.training.adversary import Adversary, adversary_of


@dataclass
class Step:
    """One step of the optimizer, and of the adversary's.

    Fabric has the device and the precision. Its wrappers of model and optimizer are for several processes, and would take a
    tenth of a small model's step.
    """

    model: Model
    optimizer: torch.optim.Adam
    adversary: Adversary | None
    fabric: Fabric
    training: Training

    def __call__(self, x: Tensor, labels: Tensor, number: int) -> dict[str, Tensor]:
        with self.fabric.autocast():
            objective: Objective = self.model(x, labels, number)
        total = objective.total
        self.optimizer.zero_grad(set_to_none=True)
        if self.adversary:
            self.adversary.optimizer.zero_grad(set_to_none=True)
            # The two have no weight in common: one backward pass serves both.
            self.fabric.backward(total + objective.beside["adversary"])
            self.adversary.optimizer.step()
        else:
            self.fabric.backward(total)
        if self.training.gradient_clip:
            # What is not finite is refused where the terms are read, with their names.
            self.fabric.clip_gradients(
                self.model, self.optimizer, max_norm=self.training.gradient_clip, error_if_nonfinite=False
            )
        self.optimizer.step()
        return {"objective": total, **objective.terms, **objective.beside}


def stepper(model: Model, training: Training, fabric: Fabric) -> Step:
    """Bring a model to Fabric's device, and give it its optimizer."""
    model.to(fabric.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    adam = torch.optim.Adam(model.trained_jointly(), lr=training.learning_rate, fused=True)
    return Step(model, adam, adversary_of(model, fabric), fabric, training)
