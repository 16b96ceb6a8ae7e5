"""Score against budget: the score that is expected of the best of n trials (Dodge et al., 2019)."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from vaeline.report.expected_best import expected_best
from vaeline.report.findings import Findings
from vaeline.report.plots.shared.contract import Plot
from vaeline.report.plots.shared.legend import add_legend
from vaeline.report.plots.shared.variant_colours import colours, marker_of, stroke_of

SIZE = (7.0, 3.4)  # inches


def draw(findings: Findings) -> Figure:
    """A line for each variant, and its trials as faint dots at a budget of one."""
    figure = Figure(figsize=SIZE, layout="constrained")
    axes = figure.subplots()
    for variant in findings.results.tuned:
        _draw_variant(axes, findings, variant)
    axes.set_xlabel("trials")
    axes.set_ylabel(f"best {findings.results.settings['tuning']['metric']}")
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    add_legend(figure, *axes.get_legend_handles_labels())
    return figure


def _draw_variant(axes: Axes, findings: Findings, variant: str) -> None:
    colour, marker = colours(findings.variants)[variant], marker_of(findings.variants, variant)
    scores = [trial.score for trial in findings.results.tuned[variant].trials]
    curve = np.array(expected_best(scores))
    curve[~np.isfinite(curve)] = np.nan
    stroke = stroke_of(findings.variants, variant)
    axes.plot(np.arange(1, len(curve) + 1), curve, stroke, color=colour, marker=marker, markersize=4, label=variant)
    there = [score for score in scores if score is not None]
    axes.plot(np.ones(len(there)), there, marker, color=colour, markersize=3, markeredgewidth=0, alpha=0.4)


def _missing(findings: Findings) -> str:
    return "" if findings.results.tuned else "No variant of this study was tuned (tuning.trials)."


PLOT = Plot(draw, _missing, forms=())  # on the page alone: most studies tune nothing
