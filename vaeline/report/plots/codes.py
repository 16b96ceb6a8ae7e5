"""Codes of test images, coloured by their first label: panels for each variant's first run."""

from collections.abc import Callable
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from vaeline.report.findings import Findings
from vaeline.report.plots.shared.contract import OnPage, Plot, unless_drawn
from vaeline.report.plots.shared.latent_plane import (
    NO_LATENTS,
    PERPLEXITY,
    neighbours_of,
    panels_of,
    plane_of,
    set_limits,
)
from vaeline.report.results import Run
from vaeline.system.evenly_spaced import evenly_spaced
from vaeline.system.plot_style import COLOURS, MARKERS

FEW_VALUES = 4  # the legend shows these with the label's name; more values, such as digits, speak for themselves
MOST_COLUMNS = 10  # of the legend
SMALLEST, LARGEST = 2.5, 4.5  # points across a dot
ROOM = 70.0  # the same across a single dot; many dots share that area
IN_LEGEND = 6.0  # points across a dot of the legend
FEWEST_CODES = int(3 * PERPLEXITY) + 10  # of t-SNE: fewer are all neighbours of one another
LONGEST = 12  # letters of a name among the points
APART = 0.08  # of a panel, between two names
MOST_NAMED = 20  # values whose groups are named
MOST_CODES = 1000  # of t-SNE, which takes seconds for so many


def draw(findings: Findings) -> Figure:
    """Panels for each variant's first run: the plane of its codes and, if they have more dimensions, t-SNE."""
    panels: dict[str, Callable[[Axes], None]] = {}
    for variant, run in findings.first_runs_with("codes").items():
        panels[variant] = partial(_draw_plane, run=run)
        if _has_neighbours(run.drawn["codes"]):
            panels[f"{variant}, t-SNE"] = partial(_draw_neighbours, run=run)
    figure = panels_of(panels)
    handles, names = figure.axes[0].get_legend_handles_labels()
    _add_legend(figure, [line for line in handles if isinstance(line, Line2D)], names)
    return figure


def _add_legend(figure: Figure, handles: list[Line2D], names: list[str]) -> None:
    """A legend below the panels, in as many columns as fit the figure."""
    width = figure.get_figwidth() * figure.dpi
    scale = IN_LEGEND / float(handles[0].get_markersize()) if handles else 1.0
    for columns in range(min(len(names), MOST_COLUMNS), 0, -1):
        legend = figure.legend(
            handles,
            names,
            loc="outside lower left",
            ncols=columns,
            frameon=False,
            markerscale=scale,
            columnspacing=1,
            handletextpad=0,
        )
        if columns == 1 or legend.get_window_extent().width <= width:
            return
        legend.remove()


def _has_neighbours(codes: np.ndarray) -> bool:
    return codes.shape[1] > 2 and len(codes) >= FEWEST_CODES


def _draw_plane(axes: Axes, run: Run) -> None:
    codes = run.drawn["codes"]
    _draw_points(axes, plane_of(codes)(codes), _labels(run)[: len(codes)], run)


def _draw_neighbours(axes: Axes, run: Run) -> None:
    codes = run.drawn["codes"]
    rows = evenly_spaced(len(codes), MOST_CODES)
    _draw_points(axes, neighbours_of(codes[rows]), _labels(run)[rows], run)
    axes.set(xticks=[], yticks=[])  # the map has no units


def _labels(run: Run) -> np.ndarray:
    """The first label of each drawn image, 0 where there are no labels: (n,)."""
    labels = run.drawn["labels"]
    return labels[:, 0] if run.facts.label_names else np.zeros(len(labels), np.int64)


def _draw_points(axes: Axes, flat: np.ndarray, labels: np.ndarray, run: Run) -> None:
    """Points of a plane, (n, 2), coloured by a label, (n,)."""
    size = float(np.clip(ROOM / np.sqrt(len(flat)), SMALLEST, LARGEST))
    there = np.unique(labels)
    for label in there:
        points, (colour, marker), name = flat[labels == label], _look(label), _name(run, label).replace("$", "")
        [dots] = axes.plot(*points.T, marker, color=colour, markersize=size, markeredgewidth=0, label=name)
        dots.set_rasterized(True)
    set_limits(axes, flat)
    if len(there) > 1:
        _name_groups(axes, flat, labels, run)


def _name_groups(axes: Axes, flat: np.ndarray, labels: np.ndarray, run: Run) -> None:
    """Write the value of a label in the middle of its points: colours alone do not tell ten values apart."""
    taken = np.empty((0, 2))
    for label in np.unique(labels)[:MOST_NAMED]:
        x, y = np.median(flat[labels == label], axis=0)
        place = axes.transAxes.inverted().transform(axes.transData.transform((x, y)))
        if len(taken) and np.linalg.norm(taken - place, axis=1).min() < APART:
            continue  # groups that lie on one another have no middle of their own
        taken = np.vstack([taken, place])
        value = _shortened(run.facts.label_values[0][label])
        text = axes.text(
            x, y, value, ha="center", va="center", fontsize=8, fontweight="bold", color="#1c1f23", parse_math=False
        )
        text.set_bbox({"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": _look(label)[0], "alpha": 0.85})


def _look(label: int) -> tuple[str, str]:
    """The colour and the marker of a value."""
    return COLOURS[label % len(COLOURS)], MARKERS[label // len(COLOURS) % len(MARKERS)]


def _shortened(name: str) -> str:
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"


def _name(run: Run, label: int) -> str:
    """What the legend calls a value of the first label."""
    names, values = run.facts.label_names, run.facts.label_values
    value = values[0][label] if values else "test images"
    return f"{names[0]}: {value}" if names and len(values[0]) <= FEW_VALUES else value


PLOT = Plot(
    draw,
    unless_drawn("codes", NO_LATENTS),
    forms=("png", "svg"),
    on_page=OnPage(
        "latents",
        place=1,
        title="Latents of test images",
        alt="Scatter plots of latents of test images, one or two for each variant",
        caption="the centre of the posterior of each test image, coloured by its first label if there is one; after eight values, colours repeat with another marker. A name stands in the middle of its points. Latents of more than two dimensions are shown on "
        "their first two principal components and, at most 1,000 of them, by t-SNE, which keeps neighbours together; its distances and sizes mean nothing.",
    ),
)
