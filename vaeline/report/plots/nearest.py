"""Samples above the training images nearest to them: a panel for each variant's first run."""

import numpy as np
from matplotlib.figure import Figure

from vaeline.report.findings import Findings
from vaeline.report.plots.shared.contract import OnPage, Plot
from vaeline.report.plots.shared.panels import rows, side_by_side
from vaeline.report.results import Run


def draw(findings: Findings) -> Figure:
    """The first samples of a variant, above the nearest training image of each."""
    panels = {findings.titled(variant): _panel(findings, variant, run) for variant, run in _runs(findings).items()}
    return side_by_side(panels)


def _panel(findings: Findings, variant: str, run: Run) -> np.ndarray:
    near = findings.real.nearest[variant] if findings.real else np.empty(0)
    samples = run.first_samples if run.first_samples is not None else near
    return rows(np.stack([samples[: len(near)], near]), run.levels)


def _runs(findings: Findings) -> dict[str, Run]:
    """Each variant's first run, if the training images nearest to its samples are known."""
    known = findings.real.nearest if findings.real else {}
    return {variant: run for variant, run in findings.first_runs().items() if len(known.get(variant, ()))}


def _missing(findings: Findings) -> str:
    return "" if _runs(findings) else "The training images of this study are not images, or are unavailable."


PLOT = Plot(
    draw,
    _missing,
    forms=("png",),
    on_page=OnPage(
        "pictures",
        place=1,
        title="Nearest training images",
        alt="Samples above the training image nearest to each, a grid for each variant",
        caption="the first samples of each variant, above the training image with the smallest squared difference of pixels. A model "
        "that memorises draws copies of the lower row. The metric memorised_share measures this over all samples. Of more than 1 GB of "
        "training images, some that lie evenly among them are searched.",
    ),
)
