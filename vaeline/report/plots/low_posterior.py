"""Low-posterior samples: a panel for each variant's first run."""

from matplotlib.figure import Figure

from vaeline.report.findings import Findings
from vaeline.report.plots.shared.contract import OnPage, Plot
from vaeline.report.plots.shared.panels import WIDEST, rows, side_by_side


def draw(findings: Findings) -> Figure:
    """The samples that the aggregate posterior covers least, the least covered first."""
    runs = findings.first_runs_failing("low_posterior")
    panels = {
        findings.titled(variant): rows(run.failures["low_posterior"][None], run.levels) for variant, run in runs.items()
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
        title="Low-posterior samples",
        alt="Samples that the aggregate posterior covers least, a row for each variant",
        caption="decoded draws of p(z) that the latents of training images cover least. The least covered is first.",
    ),
)
