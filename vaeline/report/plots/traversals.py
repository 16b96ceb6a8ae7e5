"""Traversals: the code of one test image with one dimension varied at a time, a panel for each variant's first run."""

from matplotlib.figure import Figure

from vaeline.report.findings import Findings
from vaeline.report.plots.shared.contract import OnPage, Plot, unless_drawn
from vaeline.report.plots.shared.panels import rows, side_by_side


def draw(findings: Findings) -> Figure:
    """A row for each latent dimension, the most varied dimension on top."""
    runs = findings.first_runs_with("traversals")
    return side_by_side({variant: rows(run.drawn["traversals"], run.levels) for variant, run in runs.items()})


PLOT = Plot(
    draw,
    unless_drawn("traversals", "No variant has images and vector latents."),
    forms=("png",),
    on_page=OnPage(
        "latents",
        place=4,
        title="Traversals",
        alt="Rows of decoded images along each latent dimension, one grid for each variant",
        caption="the code of one test image. Each row varies one dimension over the range of the codes of all images. The most "
        "varied dimension is on top.",
    ),
)
