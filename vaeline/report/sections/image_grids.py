"""The section "Images": reconstructions and samples of each variant's first run, and the test images."""

from dataclasses import dataclass

from vaeline.report.findings import Findings
from vaeline.report.results import Run
from vaeline.report.sections.section import Section


@dataclass(frozen=True)
class ImagesSection(Section):
    """Reconstructions and samples."""

    id, title, template = "pictures", "Images", "image_grids.html.j2"

    real: bytes | None  # PNG of the test images; None if they are unavailable
    runs: dict[str, Run]  # variant -> its first run
    noise: str  # `sampling.noise` of the samples


def images_section(findings: Findings) -> ImagesSection | None:
    """Reconstructions and samples, or None without runs."""
    runs = findings.first_runs()
    return ImagesSection(findings.real.shown if findings.real else None, runs, findings.noise) if runs else None
