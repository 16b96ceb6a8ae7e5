"""Interpolations between two test images: a panel for each variant's first run."""

from matplotlib.figure import Figure

from vaeline.report.findings import Findings
from vaeline.report.plots.shared.contract import OnPage, Plot, unless_drawn
from vaeline.report.plots.shared.panels import rows, side_by_side

PATHS = {"interpolations": "straight", "interpolations_through_flow": "through the prior's flow"}


def draw(findings: Findings) -> Figure:
    """A row for each pair of images: straight in z, and through the flow of a prior that has one."""
    panels = {
        f"{variant}: {words}": rows(run.drawn[path], run.levels)
        for variant, run in findings.first_runs_with("interpolations").items()
        for path, words in PATHS.items()
        if path in run.drawn
    }
    return side_by_side(panels)


PLOT = Plot(
    draw,
    unless_drawn("interpolations", "No variant has images and vector latents to interpolate."),
    forms=("png",),
    on_page=OnPage(
        "latents",
        place=5,
        title="Interpolations",
        alt="Rows of decoded images between two test images, grids for each variant",
        caption="from one test image to another in equal steps, under the labels of the first image. The path is straight in z "
        "and, if the prior has a flow, straight in the flow's base space too.",
    ),
)
