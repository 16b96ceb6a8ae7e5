"""Codes of test images, coloured by their first label: a panel for each variant's first run."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from vaeline.report.findings import Findings
from vaeline.report.plots.shared.contract import OnPage, Plot
from vaeline.report.plots.shared.latent_plane import NO_LATENTS, panels_of, plane_of, set_limits
from vaeline.report.results import Run
from vaeline.system.plot_style import COLOURS

FEW_VALUES = 4  # the legend shows these with the label's name; more values, such as digits, speak for themselves
MOST_COLUMNS = 10  # of the legend
SMALLEST, LARGEST = 2.5, 6.0  # points across a dot
ROOM = 80.0  # the same across a single dot; many dots share that area
IN_LEGEND = 10.0  # points across a dot of the legend
TEN = [*COLOURS, "#33383e", "#b0b7be"]  # colours of labels


def draw(findings: Findings) -> Figure:
    """A panel for each variant's first run."""
    figure = panels_of(findings.first_runs_with("codes"), _draw_codes)
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


def _draw_codes(axes: Axes, run: Run) -> None:
    codes = run.drawn["codes"]
    flat = plane_of(codes)(codes)
    labels = run.drawn["labels"][: len(codes), 0] if run.facts.label_names else np.zeros(len(codes), np.int64)
    size = float(np.clip(ROOM / np.sqrt(len(flat)), SMALLEST, LARGEST))
    for label in np.unique(labels):
        points, colour, name = flat[labels == label], TEN[label % len(TEN)], _name(run, label).replace("$", "")
        [dots] = axes.plot(*points.T, ".", color=colour, markersize=size, markeredgewidth=0, label=name)
        dots.set_rasterized(True)
    set_limits(axes, flat)


def _name(run: Run, label: int) -> str:
    """What the legend calls a value of the first label."""
    names, values = run.facts.label_names, run.facts.label_values
    value = values[0][label] if values else "test images"
    return f"{names[0]}: {value}" if names and len(values[0]) <= FEW_VALUES else value


def _missing(findings: Findings) -> str:
    return "" if findings.first_runs_with("codes") else NO_LATENTS


PLOT = Plot(
    draw,
    _missing,
    forms=("png", "svg"),
    on_page=OnPage(
        "latents",
        place=1,
        title="Latents of test images",
        alt="Scatter plots of latents of test images, one for each variant",
        caption="the centre of the posterior of each test image, coloured by its first label if there is one; colours repeat after ten values. Latents of more than two dimensions are shown on "
        "their first two principal components.",
    ),
)
