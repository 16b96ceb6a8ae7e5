"""The section "Training": the training curves, each as a plot of its own."""

from dataclasses import dataclass
from functools import partial

from vaeline.report.findings import Findings
from vaeline.report.plots import curves
from vaeline.report.plots.shared import rendering
from vaeline.report.sections.section import Section


@dataclass(frozen=True)
class TrainingSection(Section):
    """The training curves."""

    id, title, template = "curves", "Training", "training.html.j2"

    variants: list[str]  # that have a run
    curves: list[tuple[curves.Curve, bytes]]  # with SVG


def training_section(findings: Findings) -> TrainingSection | None:
    """The training curves, or None without runs."""
    variants = list(findings.first_runs())
    if not variants:
        return None
    drawn = [(curve, rendering.svg_for_page(partial(curves.draw_one, findings, curve))) for curve in curves.CURVES]
    return TrainingSection(variants, drawn)
