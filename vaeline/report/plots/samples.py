"""Samples of each variant's first run next to the test images whose labels they were given."""

from matplotlib.figure import Figure

from vaeline.report.findings import Findings
from vaeline.report.plots.shared.contract import Plot
from vaeline.report.plots.shared.panels import decoded, side_by_side


def draw(findings: Findings) -> Figure:
    """The test images, if they are available, and the samples of each variant."""
    pictures = {"test images": findings.real.shown} if findings.real else {}
    pictures |= {findings.titled(variant): run.samples for variant, run in findings.first_runs().items()}
    return side_by_side({title: decoded(picture) for title, picture in pictures.items()})


def _missing(findings: Findings) -> str:
    return "" if findings.results.runs else "No run of this study is finished."


PLOT = Plot(draw, _missing, forms=("png",))
