"""Low-posterior samples above high-posterior samples: a panel for each variant's first run."""

import numpy as np
from matplotlib.figure import Figure

from vaeline.report.findings import Findings
from vaeline.report.plots.shared.contract import OnPage, Plot, unless_failing
from vaeline.report.plots.shared.panels import rows, side_by_side
from vaeline.report.results import Run

KINDS = ("low_posterior", "high_posterior")


def draw(findings: Findings) -> Figure:
    """The samples that the other density covers least, the least covered first."""
    runs = findings.first_runs_failing("low_posterior")
    return side_by_side({findings.titled(variant): _panel(run) for variant, run in runs.items()})


def _panel(run: Run) -> np.ndarray:
    """A row for each kind, both as long as the shorter one."""
    kinds = [run.failures[kind] for kind in KINDS if kind in run.failures]
    count = min(map(len, kinds))
    return rows(np.stack([kind[:count] for kind in kinds]), run.levels)


PLOT = Plot(
    draw,
    unless_failing("low_posterior", "No variant has images and a known aggregate posterior density."),
    forms=("png",),
    on_page=OnPage(
        "failures",
        place=2,
        title="Low- and high-posterior samples",
        alt="Samples that the aggregate posterior covers least, and samples of it that the prior covers least, for each variant",
        caption="the upper row is decoded from draws of p(z) that the latents of training images cover least, out of pockets. The lower row is decoded "
        "from latents of training images, with their noise, that p(z) covers least, out of leaks. The least covered is first.",
    ),
)
