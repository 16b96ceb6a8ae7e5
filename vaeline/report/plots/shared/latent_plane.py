"""Latents on a plane: projections to two dimensions, panels, and the limits of their axes."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from threadpoolctl import threadpool_limits

PANEL = 2.6  # inches
MOST_COLUMNS = 4
PERPLEXITY = 30.0  # about how many neighbours of a latent t-SNE keeps
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


def neighbours_of(z: np.ndarray) -> np.ndarray:
    """Latents, (n, latent), on a plane that keeps neighbours and not distances, (n, 2): t-SNE (van der Maaten and Hinton, 2008)."""
    return _neighbours_of(z.tobytes(), z.dtype.str, z.shape)


@lru_cache(maxsize=64)  # a plot is drawn once for each of its files, and t-SNE takes seconds
def _neighbours_of(content: bytes, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    from sklearn.manifold import TSNE

    z = np.frombuffer(content, dtype).reshape(shape)
    with threadpool_limits(1):  # threads would add the forces in another order each time, and end in another map
        flat: np.ndarray = TSNE(perplexity=PERPLEXITY, init="pca", random_state=0).fit_transform(z)
    return flat


def panels_of(panels: Mapping[str, Callable[[Axes], None]]) -> Figure:
    """Panels under their titles.

    Args:
        panels: title -> what draws the panel on its axes.
    """
    columns = min(len(panels), MOST_COLUMNS)
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(columns * PANEL, rows * (PANEL + 0.2)), layout="constrained")
    figure.subplots(rows, columns)
    for axes, (title, draw) in zip(figure.axes, panels.items(), strict=False):
        draw(axes)
        axes.set_title(title)
    for axes in figure.axes[len(panels) :]:
        axes.set_axis_off()
    return figure


def set_limits(axes: Axes, points: np.ndarray) -> None:
    """Show all points, (n, 2), but the outermost half per cent on each side, with a margin."""
    low, high = np.quantile(points, [0.005, 0.995], axis=0)
    margin = 0.15 * (high - low) + 1e-6
    axes.set_xlim(low[0] - margin[0], high[0] + margin[0])
    axes.set_ylim(low[1] - margin[1], high[1] + margin[1])
