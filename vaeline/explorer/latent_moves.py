"""A run whose latents a person moves: by standard deviations of a dimension, or along the direction of a label."""

from functools import cached_property

import numpy as np

from vaeline.data.store import Split, SplitOnDemand
from vaeline.explorer.settings import ChosenRun, Settings
from vaeline.runs.trained_run import TrainedRun, attribute_vector
from vaeline.system.errors import UserError
from vaeline.system.evenly_spaced import evenly_spaced

MOST_ENCODED = 256  # test images that measure how much each latent varies
MOST_OF_DIRECTION = 1000  # training images of a direction


class Examples:
    """Training images whose latents tell the direction of a label, the same images for every run.

    Args:
        train: the training split.
    """

    def __init__(self, train: Split | SplitOnDemand) -> None:
        rows = evenly_spaced(len(train.labels), MOST_OF_DIRECTION)
        self.images, self.labels = train.images[rows], train.labels[rows]

    def having(self, column: int, code: int) -> np.ndarray:
        """Which images have a label, bool, (n,)."""
        found: np.ndarray = self.labels[:, column] == code
        return found


class MovableRun:
    """A trained run, and how its latents vary over images.

    Args:
        run: with its model in memory.
        test: test images that measure how much each latent varies; None if there are none.
        examples: images that tell the directions of labels; None if there are none.
    """

    def __init__(self, run: TrainedRun, test: Split | SplitOnDemand | None, examples: Examples | None) -> None:
        self.run, self._examples = run, examples
        self.discrete, self.has_flow = run.model.posterior.kind == "discrete", run.model.latent_density.flow is not None
        of_codebook, of_images = "its latents are entries of a codebook", "there are no test images"
        self.fixed = of_codebook if self.discrete else "" if test else of_images  # why no latent can be moved
        self.spread: np.ndarray | None = None  # standard deviation of each latent over test images, (latent,)
        if test and not self.fixed:
            self.spread = run.encode(test.images[:MOST_ENCODED], test.labels[:MOST_ENCODED]).std(0)

    @property
    def movable(self) -> list[int]:
        """The latent dimensions, the one that varies most over test images first; empty if no latent can be moved."""
        return [] if self.spread is None else np.argsort(-self.spread).tolist()

    def move(self, z: np.ndarray, chosen: ChosenRun, settings: Settings) -> np.ndarray:
        """Move latents z, (n, latent), as a person has chosen. Directions have no effect on latents that cannot be moved.

        Raises:
            UserError: the run has no such latent, or it cannot be moved.
        """
        if unknown := set(chosen.moved) - set(self.movable):
            allowed = (
                f"choose one from 0 to {len(self.movable) - 1}" if self.movable else f"none can move: {self.fixed}"
            )
            raise UserError(f"{chosen.variant} has no latent {min(unknown)} that can move; {allowed}.")
        if self.spread is None:
            return z
        z = z.copy()
        for dimension, deviations in chosen.moved.items():
            z[:, dimension] += deviations * self.spread[dimension]
        for label, values in settings.directions.items():
            for value, amount in values.items():
                z += amount * self.direction(label, value)
        return z

    def direction(self, label: str, value: str) -> np.ndarray:
        """The mean latent of examples with a label less that of the others, (latent,), as `TrainedRun.direction`."""
        assert self._examples
        there = self._examples.having(*self.run.facts.label(label, value))
        return attribute_vector(self._codes, there, ~there)

    @cached_property
    def _codes(self) -> np.ndarray:
        assert self._examples
        return self.run.encode(self._examples.images, self._examples.labels)
