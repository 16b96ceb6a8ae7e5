"""Interpolations as drawn."""

from dataclasses import replace

from tests.made_up import findings_of
from vaeline.report.findings import Findings
from vaeline.report.plots import interpolations
from vaeline.report.plots.shared.panels import SMALLEST, WIDEST, decoded
from vaeline.report.results import Results


def test_a_flow_adds_a_panel_to_its_variant(findings: Findings) -> None:
    one, two = findings.results.runs
    through = {**one.drawn, "interpolations_through_flow": one.drawn["interpolations"]}
    with_flow = findings_of(Results(findings.results.study, [replace(one, drawn=through), two], {}))
    titles = [text.get_text() for text in interpolations.draw(with_flow).texts]
    assert titles == ["one: straight", "one: through the prior's flow", "two: straight"]


def test_the_plot_fits_the_page_at_half_its_size(findings: Findings) -> None:
    assert decoded(interpolations.PLOT.render(findings, "png")).shape[1] <= WIDEST / SMALLEST
