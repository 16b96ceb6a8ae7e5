"""The section "Images": reconstructions and samples of each variant's first run, and the test images."""

from dataclasses import dataclass

from vaeline.report.plots.shared.contract import RenderedPlots
from vaeline.report.results import Run
from vaeline.report.sections.plots import ShownPlot, shown_plots
from vaeline.report.sections.section import Section


@dataclass(frozen=True)
class ImagesSection(Section):
    """Reconstructions and samples."""

    id, title, template = "pictures", "Images", "image_grids.html.j2"

    real: bytes | None  # PNG of the test images; None if they are unavailable
    runs: dict[str, Run]  # variant -> its first run
    noise: str  # `sampling.noise` of the samples
    plots: list[ShownPlot]


def images_section(plots: RenderedPlots) -> ImagesSection | None:
    """Reconstructions and samples, or None without runs."""
    findings = plots.findings
    real, runs = findings.real.shown if findings.real else None, findings.first_runs()
    return ImagesSection(real, runs, findings.noise, shown_plots(plots, "pictures")) if runs else None
