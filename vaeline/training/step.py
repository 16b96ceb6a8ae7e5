"""One training step: forward, backward, clipping, optimizers, the average of the weights."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from lightning_fabric import Fabric
from torch import Tensor

from vaeline.models.contracts import Objective
from vaeline.models.model import Model
from vaeline.study.schema import Training
from vaeline.training.adversary import TrainedAdversary, adversary_of
from vaeline.training.optimizers import optimizer_of
from vaeline.training.weight_average import WeightAverage

NOISE_FALLS = 0.55  # the variance of gradient noise falls as step^-0.55 (Neelakantan et al., 2015)


@dataclass
class Step:
    """One step of the optimizer, and of the adversary's.

    Fabric provides the device and the precision. Its wrappers of model and optimizer serve several processes, and would take a
    tenth of a small model's step.
    """

    model: Model
    optimizer: torch.optim.Optimizer
    adversary: TrainedAdversary | None
    average: WeightAverage | None
    fabric: Fabric
    settings: Training

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
        if clip := self.settings.gradient_clip:
            # A gradient that is not finite is reported with the terms, by name.
            self.fabric.clip_gradients(self.model, self.optimizer, max_norm=clip, error_if_nonfinite=False)
        if self.settings.gradient_noise:
            self._add_noise(self.settings.gradient_noise / number**NOISE_FALLS)
        self.optimizer.step()
        if self.average:
            self.average.update(number)
        return {"objective": total, **objective.shown}

    def _add_noise(self, variance: float) -> None:
        """Add normal noise to the gradient of each weight, drawn from torch's generator, which each epoch seeds."""
        for weight in self.model.trained_jointly():
            if weight.grad is not None:
                weight.grad.add_(torch.randn_like(weight.grad), alpha=variance**0.5)

    def averaged(self) -> AbstractContextManager[None]:
        """Within the block, the model has its averaged weights, if there is an average."""
        return self.average.in_place() if self.average else nullcontext()


def stepper(model: Model, settings: Training, fabric: Fabric) -> Step:
    """Bring a model to Fabric's device, and give it its optimizer."""
    model.to(fabric.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = None if settings.weight_average is None else WeightAverage(model, settings.weight_average)
    optimizer = optimizer_of(model.trained_jointly(), settings)
    return Step(model, optimizer, adversary_of(model.regularizer, fabric), average, fabric, settings)
