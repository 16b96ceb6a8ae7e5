"""The section "Trade-offs": what likelihood and samples cost."""

from dataclasses import dataclass

from vaeline.report.plots import pareto
from vaeline.report.plots.shared.contract import RenderedPlots
from vaeline.report.sections.section import Section


@dataclass(frozen=True)
class TradeOffsSection(Section):
    """What likelihood and samples cost."""

    id, title, template = "trade-offs", "Trade-offs", "trade_offs.html.j2"

    plot: bytes  # SVG


def trade_offs_section(plots: RenderedPlots) -> TradeOffsSection | None:
    """The trade-offs, or None if no two variants have metrics to trade off."""
    return None if pareto.PLOT.missing(plots.findings) else TradeOffsSection(plots.on_page("pareto"))
