"""One label switched and the noise fixed: a panel for each variant's first run."""

import numpy as np
from matplotlib.figure import Figure

from vaeline.report.findings import Findings
from vaeline.report.plots.shared.contract import OnPage, Plot, unless_drawn
from vaeline.report.plots.shared.panels import Headed, rows, side_by_side
from vaeline.report.results import Run

FEW_VALUES = 3  # a head shows these with the name of the label; more values, such as digits, speak for themselves


def draw(findings: Findings) -> Figure:
    """A row for each draw of the noise, a column for each switch."""
    runs = findings.first_runs_with("switched")
    panels = {
        findings.titled(variant): Headed(rows(run.drawn["switched"], run.levels), switches(run))
        for variant, run in runs.items()
    }
    return side_by_side(panels)


def switches(run: Run) -> list[str]:
    """What each column is called: the value of a class, or the attribute that is switched."""
    labels, names, values = run.drawn["switched_labels"][0], run.facts.label_names, run.facts.label_values
    if len(names) == 1:
        of_class = [values[0][row[0]] for row in labels]
        return [f"{names[0]} {value}" for value in of_class] if len(values[0]) <= FEW_VALUES else of_class
    switched = [np.flatnonzero(row != labels[0]) for row in labels]
    return [names[columns[0]].replace("_", " ") if len(columns) else "as asked" for columns in switched]


PLOT = Plot(
    draw,
    unless_drawn("switched", "No conditional variant has images."),
    forms=("png",),
    on_page=OnPage(
        "labels",
        place=1,
        title="One label switched, the others fixed",
        alt="Rows of samples in which one label differs, a grid for each variant",
        caption="each row decodes the same noise, which is the same for every variant. The columns of a row differ from the first in one label.",
    ),
)
