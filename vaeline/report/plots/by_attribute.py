"""Condition accuracy of each attribute: a dot for each variant, a tick for real images."""

from statistics import fmean

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vaeline.report.findings import Findings
from vaeline.report.plots.shared.contract import OnPage, Plot
from vaeline.report.plots.shared.legend import add_legend
from vaeline.report.plots.shared.variant_colours import colours, marker_of
from vaeline.report.results import Results

WIDTH = 7.0  # inches
ATTRIBUTE = 0.2  # inches of an attribute's row


def draw(findings: Findings) -> Figure:
    """A row for each attribute, the most accurate attribute on top."""
    found = accuracies(findings.results, "condition_accuracy")
    order = sorted(found, key=lambda label: fmean(found[label].values()))
    figure = Figure(figsize=(WIDTH, ATTRIBUTE * len(order) + 0.8), layout="constrained")
    axes = figure.subplots()
    _draw_ceilings(axes, findings.results, order)
    for variant, colour in colours(findings.variants).items():
        places = [place for place, label in enumerate(order) if variant in found[label]]
        values = [found[order[place]][variant] for place in places]
        marker = marker_of(findings.variants, variant)
        axes.plot(values, places, marker, color=colour, markersize=4.5, linestyle="", label=variant)
    handles, names = axes.get_legend_handles_labels()
    add_legend(figure, handles, names, "outside upper left")
    axes.set_yticks(range(len(order)), order, parse_math=False)
    axes.set_ylim(-0.7, len(order) - 0.3)
    axes.set_xlabel("condition accuracy")
    return figure


def _draw_ceilings(axes: Axes, results: Results, order: list[str]) -> None:
    """Mark the accuracy of real images, measured with the same classifiers."""
    ceiling = results.reference.evaluation.get("condition_accuracy_ceiling", {}).get("by_label", {})
    for place, label in enumerate(order):
        if label in ceiling:
            axes.plot(ceiling[label], place, "|", color=axes.xaxis.label.get_color(), markersize=9)


def accuracies(results: Results, metric: str) -> dict[str, dict[str, float]]:
    """A metric that is a mean over labels: label -> variant -> the mean over the runs that have it."""
    values: dict[str, dict[str, list[float]]] = {}
    for run in results.runs:
        for label, value in run.evaluation.get(metric, {}).get("by_label", {}).items():
            values.setdefault(label, {}).setdefault(run.variant, []).append(value)
    return {label: {variant: fmean(of) for variant, of in by_variant.items()} for label, by_variant in values.items()}


def _missing(findings: Findings) -> str:
    has_some = accuracies(findings.results, "condition_accuracy")
    return "" if has_some else "No run of this study has condition accuracies by attribute."


PLOT = Plot(
    draw,
    _missing,
    forms=("png", "svg"),
    on_page=OnPage(
        "labels",
        place=2,
        title="Condition accuracy of each attribute",
        alt="Condition accuracy of each attribute, a dot for each variant",
        caption="means over seeds. A tick is the accuracy of real images, measured with the same classifiers.",
    ),
)
