"""Low-posterior samples as drawn."""

from vaeline.report.findings import Findings
from vaeline.report.plots import low_posterior
from vaeline.report.plots.shared.panels import WIDEST, decoded


def test_each_variant_has_a_panel(findings: Findings) -> None:
    assert [text.get_text() for text in low_posterior.draw(findings).texts] == ["one", "two"]
    assert decoded(low_posterior.PLOT.render(findings, "png")).shape[1] <= WIDEST + 500
