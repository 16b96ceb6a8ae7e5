"""The section "Trade-offs": what likelihood and samples cost."""

from dataclasses import dataclass
from functools import partial

from vaeline.report.findings import Findings
from vaeline.report.plots import pareto
from vaeline.report.plots.shared import rendering
from vaeline.report.sections.section import Section


@dataclass(frozen=True)
class TradeOffsSection(Section):
    """What likelihood and samples cost."""

    id, title, template = "trade-offs", "Trade-offs", "trade_offs.html.j2"

    plot: bytes  # SVG


def trade_offs_section(findings: Findings) -> TradeOffsSection | None:
    """The trade-offs, or None if no two variants have metrics to trade off."""
    if pareto.PLOT.missing(findings):
        return None
    return TradeOffsSection(rendering.svg_for_page(partial(pareto.draw, findings)))
