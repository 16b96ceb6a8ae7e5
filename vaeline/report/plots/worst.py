"""The worst reconstructions: a panel for each variant's first run."""

import numpy as np
from matplotlib.figure import Figure

from vaeline.report.findings import Findings
from vaeline.report.plots.shared.contract import OnPage, Plot, unless_failing
from vaeline.report.plots.shared.panels import rows, side_by_side
from vaeline.report.results import Run


def draw(findings: Findings) -> Figure:
    """The test images that a variant reconstructs worst, by squared error, above their reconstructions."""
    runs = findings.first_runs_failing("reconstructions")
    return side_by_side({variant: _panel(findings, run) for variant, run in runs.items()})


def _panel(findings: Findings, run: Run) -> np.ndarray:
    """Test images above reconstructions; reconstructions alone if the test images are unavailable."""
    failed = run.failures["reconstructions"]
    pairs = [failed] if findings.real is None else [findings.real.test[run.failures["test_index"]], failed]
    return rows(np.stack(pairs), run.levels)


PLOT = Plot(
    draw,
    unless_failing("reconstructions", "No run of this study has errors of reconstructions; sample it again."),
    forms=("png",),
    on_page=OnPage(
        "failures",
        place=1,
        title="Worst reconstructions",
        alt="Test images above their reconstructions, a grid for each variant",
        caption="the test images with the largest squared error, above each variant's reconstructions of them. The worst is first.",
    ),
)
