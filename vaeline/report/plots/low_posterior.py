"""Low-posterior samples beside high-posterior samples: two panels for each variant's first run."""

from matplotlib.figure import Figure

from vaeline.report.findings import Findings
from vaeline.report.plots.shared.contract import OnPage, Plot
from vaeline.report.plots.shared.panels import WIDEST, rows, side_by_side

KINDS = {"low_posterior": "low posterior", "high_posterior": "high posterior"}


def draw(findings: Findings) -> Figure:
    """The samples that the other density covers least, the least covered first."""
    panels = {
        f"{findings.titled(variant)}: {words}": rows(run.failures[kind][None], run.levels)
        for variant, run in findings.first_runs_failing("low_posterior").items()
        for kind, words in KINDS.items()
        if kind in run.failures
    }
    return side_by_side(panels, WIDEST)


def _missing(findings: Findings) -> str:
    has_some = findings.first_runs_failing("low_posterior")
    return "" if has_some else "No variant has images and a known aggregate posterior density."


PLOT = Plot(
    draw,
    _missing,
    forms=("png",),
    on_page=OnPage(
        "failures",
        place=2,
        title="Low- and high-posterior samples",
        alt="Samples that the aggregate posterior covers least, and samples of it that the prior covers least, for each variant",
        caption="low posterior: decoded draws of p(z) that the latents of training images cover least, out of pockets. High posterior: decoded "
        "latents of training images, with their noise, that p(z) covers least, out of leaks. The least covered is first.",
    ),
)
