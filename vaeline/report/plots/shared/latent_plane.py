"""Latents on a plane: the projection to two dimensions, a panel per variant, and the limits of its axes."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vaeline.report.results import Run

PANEL = 2.6  # inches
MOST_COLUMNS = 4
NO_LATENTS = "No variant of this study has such a latent space."


class Plane(NamedTuple):
    """A plane in latent space. Latents of one or two dimensions are drawn as they are."""

    mean: np.ndarray  # (latent,)
    axes: np.ndarray  # (latent, 2)

    def __call__(self, z: np.ndarray) -> np.ndarray:
        """Project latents, (n, latent), to (n, 2)."""
        flat = (z - self.mean) @ self.axes
        return np.pad(flat, ((0, 0), (0, 2 - flat.shape[1])))


def plane_of(z: np.ndarray) -> Plane:
    """The plane in which latents, (n, latent), vary most: that of their first two principal components."""
    if z.shape[1] <= 2:
        return Plane(np.zeros(z.shape[1]), np.eye(z.shape[1]))
    mean = z.mean(0)
    return Plane(mean, np.linalg.svd(z - mean, full_matrices=False)[2][:2].T)


def panels_of(runs: Mapping[str, Run], draw: Callable[[Axes, Run], None]) -> Figure:
    """One panel per variant.

    Args:
        runs: variant -> the run to draw.
        draw: draws a run on the axes of its panel.
    """
    columns = min(len(runs), MOST_COLUMNS)
    rows = -(-len(runs) // columns)
    figure = Figure(figsize=(columns * PANEL, rows * (PANEL + 0.2)), layout="constrained")
    figure.subplots(rows, columns)
    for axes, (variant, run) in zip(figure.axes, runs.items(), strict=False):
        draw(axes, run)
        axes.set_title(variant)
    for axes in figure.axes[len(runs) :]:
        axes.set_axis_off()
    return figure


def set_limits(axes: Axes, points: np.ndarray) -> None:
    """Show all points, (n, 2), but the outermost half per cent on each side, with a margin."""
    low, high = np.quantile(points, [0.005, 0.995], axis=0)
    margin = 0.15 * (high - low) + 1e-6
    axes.set_xlim(low[0] - margin[0], high[0] + margin[0])
    axes.set_ylim(low[1] - margin[1], high[1] + margin[1])
