"""The fit of a network by itself, before or after the training of the model."""

import math
from collections.abc import Callable, Iterator
from typing import Protocol

from torch import nn
from torch.optim import Adam

from vaeline.system.errors import Diverged
from vaeline.system.state_files import State


class Schedule(Protocol):
    """The options of a part that decide its fit."""

    @property
    def epochs(self) -> int: ...

    @property
    def learning_rate(self) -> float:
        """Of Adam in the first epoch; it falls to 0 as a cosine."""


def fit(
    network: nn.Module, schedule: Schedule, run_epoch: Callable[[Adam, int], float], state: State | None, shown: str
) -> Iterator[State]:
    """Fit all parameters of a network with Adam.

    Args:
        network: to fit.
        schedule: of the fit.
        run_epoch: takes the steps of an epoch, counted from 1, and returns its mean loss.
        state: one that an earlier fit yielded, to go on from; None to start.
        shown: the network as the error names it.

    Yields:
        After each epoch: `epoch`, `loss`, `weights`, `optimizer`. The last two change with the network.

    Raises:
        Diverged: the loss is no longer finite.
    """
    adam, done = Adam(network.parameters(), lr=schedule.learning_rate), 0
    if state is not None:
        network.load_state_dict(state["weights"])
        adam.load_state_dict(state["optimizer"])
        done = state["epoch"]
    for epoch in range(done + 1, schedule.epochs + 1):
        for group in adam.param_groups:
            group["lr"] = schedule.learning_rate * (1 + math.cos(math.pi * (epoch - 1) / schedule.epochs)) / 2
        loss = run_epoch(adam, epoch)
        if not math.isfinite(loss):
            what = f"{shown} diverged in epoch {epoch} of its fit (loss {loss})"
            raise Diverged(f"{what}; lower its learning_rate, and run again.", what)
        yield {"epoch": epoch, "loss": loss, "weights": network.state_dict(), "optimizer": adam.state_dict()}
