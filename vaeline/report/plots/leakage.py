"""Leakage by threshold of log p(z), as Bhalodia et al. (2020) draw it."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vaeline.report.findings import Findings
from vaeline.report.plots.shared.contract import OnPage, Plot
from vaeline.report.plots.shared.legend import add_legend
from vaeline.report.plots.shared.variant_colours import colours, stroke_of
from vaeline.report.results import Run

SIZE = (7.0, 2.9)  # inches
PANELS = {  # key of a point of the curve -> title, label of the y axis
    "leakage": ("E[log q − log p | log p < threshold]", "leakage, nats"),
    "share": ("z ~ q below the threshold", "share of q"),
}


def draw(findings: Findings) -> Figure:
    """Leakage below each threshold, and the share of the aggregate posterior there; thin lines are runs, bold lines means."""
    figure = Figure(figsize=SIZE, layout="constrained")
    panels = figure.subplots(1, 2)
    for axes, (key, (_, label)) in zip(panels, PANELS.items(), strict=True):
        for variant in findings.variants:
            _draw_variant(axes, findings, variant, key)
        axes.set_xlabel("threshold of log p(z), nats")
        axes.set_ylabel(label)
    _share_limits(panels, findings)
    handles, names = panels[0].get_legend_handles_labels()
    add_legend(figure, handles, names, "outside upper left")
    for axes, (title, _) in zip(panels, PANELS.values(), strict=True):
        axes.set_title(title)
    return figure


def _share_limits(panels: np.ndarray, findings: Findings) -> None:
    """Show the thresholds below which some of the aggregate posterior lies."""
    reached = [point["threshold"] for run in findings.results.runs for point in _curve(run) if point["share"]]
    if reached:
        panels[0].sharex(panels[1])
        panels[0].set_xlim(min(reached) - 2, max(reached) + 2)


def _curve(run: Run) -> list[dict[str, Any]]:
    """The points of a run's curve, from evaluation.json; empty if it has none."""
    found: list[dict[str, Any]] = run.evaluation.get("leakage", {}).get("curve", [])
    return found


def _draw_variant(axes: Axes, findings: Findings, variant: str, key: str) -> None:
    curves = [curve for run in findings.results.of(variant) if (curve := _curve(run))]
    if not curves:
        return
    colour, stroke = colours(findings.variants)[variant], stroke_of(findings.variants, variant)
    thresholds = [point["threshold"] for point in curves[0]]
    lines = np.array([[np.nan if point[key] is None else point[key] for point in curve] for curve in curves], float)
    for line in lines:
        axes.plot(thresholds, line, stroke, color=colour, linewidth=0.7, alpha=0.45)
    # The mean is NaN where a run has no value: a mean over fewer runs would jump.
    axes.plot(thresholds, lines.mean(0), stroke, color=colour, linewidth=1.8, label=variant)


def _missing(findings: Findings) -> str:
    return "" if any(map(_curve, findings.results.runs)) else "No variant of this study has a leakage curve."


def _left_out(findings: Findings) -> dict[str, str]:
    """The variants without a curve, and why."""
    entries = {variant: run.evaluation.get("leakage", {}) for variant, run in findings.first_runs().items()}
    return {variant: entry.get("dash", "not measured") for variant, entry in entries.items() if "curve" not in entry}


PLOT = Plot(
    draw,
    _missing,
    forms=("png", "svg"),
    left_out=_left_out,
    on_page=OnPage(
        "latents",
        place=3,
        title="Leakage",
        alt="Leakage and leaked share along thresholds of log p(z), a line for each variant",
        caption="how much denser the aggregate posterior is than p(z) where p(z) is below a threshold, and how much of the "
        "aggregate posterior lies there. Thin lines are seeds, bold lines their mean.",
    ),
)
