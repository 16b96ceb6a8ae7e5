"""Training curves: distortion, rate, sigma and the negative ELBO by epoch."""

from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from vaeline.report.findings import Findings
from vaeline.report.plots.shared.broken_axis import apply_break, break_between
from vaeline.report.plots.shared.contract import Plot
from vaeline.report.plots.shared.legend import add_legend
from vaeline.report.plots.shared.variant_colours import colours, stroke_of
from vaeline.report.results import Run


class Curve(NamedTuple):
    """A column of training.csv, as drawn."""

    column: str
    title: str
    unit: str


SETTLED = 1 / 3  # of the epochs: only values after it say whether a variant is far off

CURVES = [
    Curve("validation_distortion", "Distortion", "nats per image"),
    Curve("validation_rate", "Rate", "nats per image"),
    Curve("sigma", "Sigma", "pixel values"),
    Curve("validation_negative_elbo", "Negative ELBO", "nats per image"),
]


def draw(findings: Findings) -> Figure:
    """All curves."""
    figure = Figure(figsize=(10, 6.6), layout="constrained")
    for axes, curve in zip(figure.subplots(2, 2).flat, CURVES, strict=True):
        draw_curve(axes, findings, curve)
    handles, names = figure.axes[0].get_legend_handles_labels()
    add_legend(figure, handles, names)
    return figure


def draw_one(findings: Findings, curve: Curve) -> Figure:
    """One curve, for the report's page."""
    figure = Figure(figsize=(5, 3.1), layout="constrained")
    draw_curve(figure.subplots(), findings, curve)
    return figure


def draw_curve(axes: Axes, findings: Findings, curve: Curve) -> None:
    """Draw a thin line for each seed, and a bold line for their mean up to the last epoch that all seeds reached.

    The line of a seed that stopped before its last planned epoch ends in an upright tick. If a variant is far off, the axis is broken.
    """
    extents = []
    for variant, colour in colours(findings.variants).items():
        stroke = stroke_of(findings.variants, variant)
        lines, planned = [_line(run, curve.column) for run in findings.results.of(variant)], _planned(findings, variant)
        for epochs, values in lines:
            axes.plot(epochs, values, stroke, color=colour, linewidth=0.7, alpha=0.45)
            if len(epochs) and planned and epochs[-1] < planned:
                axes.plot(epochs[-1], values[-1], "|", color=colour, markersize=9, markeredgewidth=1.3)
        late = [values[epochs >= SETTLED * epochs[-1]] for epochs, values in lines if len(epochs)]
        extents += [(float(values.min()), float(values.max())) for values in late]
        if lines:
            shared = min((epochs for epochs, _ in lines), key=len)
            mean = np.mean([values[: len(shared)] for _, values in lines], axis=0)
            axes.plot(shared, mean, stroke, color=colour, linewidth=1.8, label=variant)
    axes.set_title(curve.title)
    axes.set_xlabel("epoch")
    axes.set_ylabel(curve.unit)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    if at := break_between(extents):
        apply_break(axes, False, at)


def _planned(findings: Findings, variant: str) -> int:
    """The epochs that a variant is trained for, unless its training stops early; 0 if unknown."""
    settings = findings.results.settings
    of_variant = settings.get("variants", {}).get(variant, {}).get("training") or {}
    epochs: int = (settings.get("training", {}) | of_variant).get("epochs", 0)
    return epochs


def _line(run: Run, column: str) -> tuple[np.ndarray, np.ndarray]:
    """The epochs that have a value, and the values."""
    values = run.training.get(column, np.empty(0))
    known = np.isfinite(values)
    return run.training["epoch"][: len(values)][known], values[known]


def _missing(findings: Findings) -> str:
    return ""


PLOT = Plot(draw, _missing, forms=("png", "svg"))
