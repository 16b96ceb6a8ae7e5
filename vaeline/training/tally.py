"""Sums of the training terms over an epoch, and the error if a term is not finite."""

import math

import torch
from torch import Tensor

from vaeline.system.errors import Diverged
from vaeline.training.checkpoints import Checkpoints

Row = dict[str, float]
HELD = 50  # steps whose terms are first given room


class Tally:
    """Sums of the training terms over an epoch; they stay on the device until read.

    The terms of all steps lie in one tensor. Small tensors that outlive their step would lie between the large ones that the step frees,
    which are then too far apart for the next step: the memory of a process would grow with every step until they are read.
    """

    def __init__(self, epoch: int, checkpoints: Checkpoints, against_adversary: bool = False) -> None:
        self.epoch = epoch
        self.checkpoints = checkpoints
        self.against_adversary = against_adversary
        self.images = 0
        self.steps = 0
        self._sums: dict[str, float] = {}
        self._pending: list[tuple[int, list[str]]] = []  # images and names of the terms of each step that was not read
        self._terms: Tensor | None = None  # (at least as many steps, terms)

    def add(self, images: int, terms: dict[str, Tensor]) -> None:
        row = torch.stack([term.detach() for term in terms.values()])
        if self._terms is None:
            self._terms = row.new_empty(HELD, len(row))
        elif len(self._pending) == len(self._terms):
            self._terms = torch.cat([self._terms, torch.empty_like(self._terms)])
        self._terms[len(self._pending)] = row
        self._pending.append((images, [*terms]))

    def read(self) -> Row:
        """The means over the images so far, nats.

        Raises:
            UserError: a term is not finite.
        """
        values = [] if self._terms is None else self._terms[: len(self._pending)].tolist()
        for (images, names), row in zip(self._pending, values, strict=True):
            terms = dict(zip(names, row, strict=True))
            self.steps += 1
            self.images += images
            if not all(map(math.isfinite, row)):
                raise self.diverged(f"step {self.steps}", named_terms(terms))
            for name, value in terms.items():
                self._sums[name] = self._sums.get(name, 0.0) + value * images
        self._pending.clear()
        return {name: total / self.images for name, total in self._sums.items()}

    def diverged(self, where: str, what: str) -> Diverged:
        """The error of a training that has diverged."""
        what_happened = f"Training diverged at epoch {self.epoch}, {where}: {what}"
        if (self.epoch, where) == (1, "step 1"):
            return Diverged(
                f"Training diverged at its first step: {what}; no weight has been changed yet, so look for an option of the "
                "variant that is too large or too small.",
                what_happened,
            )
        last = self.checkpoints.epoch
        kept = (
            f"checkpoints up to epoch {last} are kept in {self.checkpoints.folder}" if last else "no epoch was finished"
        )
        adversary = "the learning rate of the adversary in `regularizer`, or " if self.against_adversary else ""
        return Diverged(
            f"{what_happened}; {kept}. Lower {adversary}training.learning_rate, "
            "or set training.gradient_clip, and run again.",
            what_happened,
        )


def named_terms(terms: Row) -> str:
    """Terms by name, for an error."""
    return ", ".join(f"{name} {value:.6g}" for name, value in terms.items() if name != "epoch")
