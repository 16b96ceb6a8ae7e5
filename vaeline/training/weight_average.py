"""An exponential moving average of a model's weights over the steps of its training (Polyak and Juditsky, 1992)."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from vaeline.system.state_files import State

RAMP = 10  # steps; early on the average forgets faster, so that a short training does not keep its start


class WeightAverage:
    """The average of all weights and buffers. What is not a float, such as a counter, is that of the last step.

    Args:
        model: whose weights are averaged, on the device.
        decay: for each step, at most; in step n it is at most (n - 1) / (n + 9).
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.model, self.decay = model, decay
        self.weights = {name: each.clone() for name, each in model.state_dict().items()}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights after a step, from 1."""
        new = 1 - min(self.decay, (step - 1) / (step - 1 + RAMP))
        for name, weight in self.model.state_dict().items():
            if weight.is_floating_point():
                self.weights[name].lerp_(weight, new)
            else:
                self.weights[name].copy_(weight)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Within the block, the model has the averaged weights."""
        before = {name: each.clone() for name, each in self.model.state_dict().items()}
        _copy(self.weights, self.model)
        try:
            yield
        finally:
            _copy(before, self.model)

    def load(self, state: State) -> None:
        """Go on from the `weights` of a checkpoint."""
        for name, weight in self.weights.items():
            weight.copy_(state[name])


@torch.no_grad()
def _copy(weights: dict[str, Tensor], model: nn.Module) -> None:
    for name, each in model.state_dict().items():
        each.copy_(weights[name])
