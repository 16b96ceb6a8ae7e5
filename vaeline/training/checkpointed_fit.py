"""Fits of a network beside the training: epoch by epoch, with a checkpoint after each."""

from collections.abc import Callable, Iterator

from vaeline.system.progress import Bar
from vaeline.system.state_files import State
from vaeline.training.checkpoints import Checkpoints


def fit_through(
    name: str, epochs: int, checkpoints: Checkpoints, fit: Callable[[State | None], Iterator[State]]
) -> list[float]:
    """Go through a fit, from its last checkpoint on.

    Args:
        name: of the fit, for people who watch it.
        epochs: of the fit.
        checkpoints: of the fit.
        fit: goes on from a state, or starts without one; yields the state after each epoch, with its `epoch` and `loss`.

    Returns:
        The loss of each epoch.
    """
    before = checkpoints.latest(epochs)
    losses: list[float] = list(before["losses"]) if before else []
    with Bar(name, epochs, done=len(losses), unit="epochs") as bar:
        for state in fit(before):
            losses.append(state["loss"])
            if (finished := state["epoch"] == epochs) or checkpoints.due():
                checkpoints.write(state["epoch"], {**state, "losses": losses}, finished)
            bar.advance(1, f"loss {state['loss']:.2f}")
    return losses
