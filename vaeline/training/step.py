"""One training step: forward, backward, clipping, optimizers, the average of the weights."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from vaeline.models.contracts import Objective
from vaeline.models.model import Model
from vaeline.study.schema import Training
from vaeline.system import ranks
from vaeline.training.adversary import TrainedAdversary, adversary_of
from vaeline.training.batch_norm import share_batch_norms
from vaeline.training.optimizers import optimizer_of
from vaeline.training.weight_average import WeightAverage

NOISE_FALLS = 0.55  # the variance of gradient noise falls as step^-0.55 (Neelakantan et al., 2015)


@dataclass
class Step:
    """One step of the optimizer, and of the adversary's.

    Fabric provides the device and the precision. Its wrappers of model and optimizer would take a tenth of a small model's step, and
    average the gradients of several processes, where ours are sums of shares.
    """

    model: Model
    optimizer: torch.optim.Optimizer
    adversary: TrainedAdversary | None
    average: WeightAverage | None
    fabric: Fabric
    settings: Training

    def __call__(self, x: Tensor, labels: Tensor, number: int) -> dict[str, Tensor]:
        """Take step `number`, from 1, on a batch; returns the objective and all that is logged, means over the batch."""
        with ranks.dealt(len(x)) as rows:
            objective, total = self._backward(x[rows], labels[rows], number)
            ranks.sum_gradients(self._trained)
            means = ranks.totals({"objective": total, **objective.shown})
        if self.adversary and objective.adversary is not None:
            self.adversary.optimizer.step()
        if clip := self.settings.gradient_clip:
            # A gradient that is not finite is reported with the terms, by name.
            self.fabric.clip_gradients(self.model, self.optimizer, max_norm=clip, error_if_nonfinite=False)
        if self.settings.gradient_noise:
            self._add_noise(self.settings.gradient_noise / number**NOISE_FALLS)
        self.optimizer.step()
        ranks.same_buffers(self.model)
        if self.average:
            self.average.update(number)
        return means

    def _backward(self, x: Tensor, labels: Tensor, number: int) -> tuple[Objective, Tensor]:
        """The objective of some images, and its total, whose gradient is now in the weights."""
        with self.fabric.autocast():
            objective: Objective = self.model(x, labels, number)
        for weight in self._trained:
            weight.grad = None
        # The model and its adversary have no weight in common: one backward pass serves both.
        total = objective.total
        self.fabric.backward(total if objective.adversary is None else total + objective.adversary)
        return objective, total

    @cached_property
    def _trained(self) -> list[nn.Parameter]:
        """The weights of the model, and of its adversary."""
        of_adversary = self.adversary.network.parameters() if self.adversary else ()
        return [*self.model.trained_jointly(), *of_adversary]

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
    if ranks.count() > 1:
        share_batch_norms(model)
    average = None if settings.weight_average is None else WeightAverage(model, settings.weight_average)
    optimizer = optimizer_of(model.trained_jointly(), settings)
    return Step(model, optimizer, adversary_of(model.regularizer, fabric), average, fabric, settings)
