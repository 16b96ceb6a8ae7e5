"""The section "Training": the training curves, each as a plot of its own."""

from dataclasses import dataclass
from functools import partial

from vaeline.report.findings import Findings
from vaeline.report.plots import curves
from vaeline.report.plots.shared import rendering
from vaeline.report.plots.shared.variant_colours import stroke_of
from vaeline.report.sections.section import Section

DASHES = {"-": "none", "--": "6 3", "-.": "7 2 2 2", ":": "2 2"}  # matplotlib's stroke -> SVG's


@dataclass(frozen=True)
class TrainingSection(Section):
    """The training curves."""

    id, title, template = "curves", "Training", "training.html.j2"

    strokes: dict[str, str]  # variant that has a run -> the dashes of its lines, as SVG writes them
    curves: list[tuple[curves.Curve, bytes]]  # with SVG


def training_section(findings: Findings) -> TrainingSection | None:
    """The training curves, or None without runs."""
    variants = list(findings.first_runs())
    if not variants:
        return None
    drawn = [(curve, rendering.svg_for_page(partial(curves.draw_one, findings, curve))) for curve in curves.CURVES]
    strokes = {variant: DASHES[stroke_of(findings.variants, variant)] for variant in variants}
    return TrainingSection(strokes, drawn)
