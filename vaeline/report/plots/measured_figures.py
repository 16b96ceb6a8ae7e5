"""Drawings of what was measured along more than one number: leakage by threshold, condition accuracy by attribute."""

from statistics import fmean
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vaeline.report.plots.figures import colours, said, stroke_of
from vaeline.report.results import Results, Run

ATTRIBUTE = 0.2  # inches of an attribute's row
WIDTH = 7.0


def leakage(results: Results) -> Figure:
    """Leakage under each threshold of log p(z), and the share of the aggregate posterior there; thin lines are runs, bold ones means.

    As "dpVAEs: Fixing Sample Generation for Regularized VAEs" draws it.
    """
    if not has_leakage(results):
        return said("No variant of this study has a leakage curve.")
    figure = Figure(figsize=(WIDTH, 2.9), layout="constrained")
    panels = figure.subplots(1, 2)
    for axes, (key, label) in zip(panels, {"leakage": "leakage, nats", "share": "share of q"}.items(), strict=True):
        for variant in results.study.variants:
            _draw_curves(axes, results, variant, key)
        axes.set_xlabel("threshold of log p(z), nats")
        axes.set_ylabel(label)
    reached = [point["threshold"] for run in results.runs for point in _curve(run) if point["share"]]
    if reached:
        panels[0].sharex(panels[1])
        panels[0].set_xlim(min(reached) - 2, max(reached) + 2)
    _name(figure, panels[0])
    panels[0].set_title("E[log q − log p | log p < threshold]")
    panels[1].set_title("z ~ q below the threshold")
    return figure


def _name(figure: Figure, axes: Axes) -> None:
    """Say above the panels which variant has which colour."""
    handles, names = axes.get_legend_handles_labels()
    if handles:
        figure.legend(handles, names, loc="outside upper left", ncols=4, frameon=False)


def has_leakage(results: Results) -> bool:
    """Whether a run has a leakage curve."""
    return any(map(_curve, results.runs))


def _curve(run: Run) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = run.evaluation.get("leakage", {}).get("curve", [])
    return found


def _draw_curves(axes: Axes, results: Results, variant: str, key: str) -> None:
    curves = [curve for run in results.of(variant) if (curve := _curve(run))]
    if not curves:
        return
    colour, stroke = colours(results.study.variants)[variant], stroke_of(results.study.variants, variant)
    thresholds = [point["threshold"] for point in curves[0]]
    lines = np.array([[np.nan if point[key] is None else point[key] for point in curve] for curve in curves], float)
    for line in lines:
        axes.plot(thresholds, line, stroke, color=colour, linewidth=0.7, alpha=0.45)
    # Where a run has no value, NaN leaves the mean out: one over fewer runs would jump.
    axes.plot(thresholds, lines.mean(0), stroke, color=colour, linewidth=1.8, label=variant)


def by_attribute(results: Results) -> Figure:
    """Condition accuracy of each attribute, the best obeyed on top: a dot for each variant, a tick for what real images score."""
    found = accuracies(results, "condition_accuracy")
    ceiling = results.reference.evaluation.get("condition_accuracy_ceiling", {}).get("by_label", {})
    if not found:
        return said("No run of this study has condition accuracies by attribute.")
    order = sorted(found, key=lambda label: fmean(found[label].values()))
    figure = Figure(figsize=(WIDTH, ATTRIBUTE * len(order) + 0.8), layout="constrained")
    axes = figure.subplots()
    for place, label in enumerate(order):
        if label in ceiling:
            axes.plot(ceiling[label], place, "|", color=axes.xaxis.label.get_color(), markersize=9)
    for variant, colour in colours(results.study.variants).items():
        places = [place for place, label in enumerate(order) if variant in found[label]]
        axes.plot(
            [found[order[place]][variant] for place in places], places, "o", color=colour, markersize=4.5, label=variant
        )
    _name(figure, axes)
    axes.set_yticks(range(len(order)), order, parse_math=False)
    axes.set_ylim(-0.7, len(order) - 0.3)
    axes.set_xlabel("condition accuracy")
    return figure


def accuracies(results: Results, figure: str) -> dict[str, dict[str, float]]:
    """A figure that is a mean over labels, by label and variant, means over the runs that have it."""
    values: dict[str, dict[str, list[float]]] = {}
    for run in results.runs:
        for label, value in run.evaluation.get(figure, {}).get("by_label", {}).items():
            values.setdefault(label, {}).setdefault(run.variant, []).append(value)
    return {label: {variant: fmean(of) for variant, of in by_variant.items()} for label, by_variant in values.items()}
