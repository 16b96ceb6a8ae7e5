"""The section "Results": a few metrics that say most, the others in a fold, footnotes, and the table as CSV and LaTeX."""

from collections import defaultdict
from dataclasses import dataclass

from vaeline.report import exports, table
from vaeline.report.comparison import Comparison
from vaeline.report.sections.section import Section


@dataclass(frozen=True)
class TableSection(Section):
    """The table of results."""

    id, title, template = "table", "Results", "results_table.html.j2"

    variants: list[str]
    seeds: dict[str, str]  # variant -> "3 of 5 seeds"; empty if all are there
    ranges: list[str]  # what the intervals range over
    first: list[table.Row]  # before the fold
    groups: dict[str, list[table.Row]]  # group of metrics -> its other rows, in the fold
    leaders: dict[tuple[str, str], str]  # (metric, measure) -> its best variant, for a narrow screen
    notes: list[str]  # the notes of all cells, once each
    nowhere: list[str]  # metrics that no variant has, with the reason
    csv: str  # of all metrics
    latex: str  # of the rows before the fold


def table_section(comparison: Comparison, rows: list[table.Row]) -> TableSection:
    """The table of results.

    Args:
        comparison: of the study.
        rows: the table of results.
    """
    groups: dict[str, list[table.Row]] = defaultdict(list)
    first = table.first_rows(rows, comparison.primary)
    for row in rows:
        if row not in first:
            groups[row.metric.group].append(row)
    return TableSection(
        variants=comparison.variants,
        seeds={variant: table.partial_seeds(comparison, variant) for variant in comparison.variants},
        ranges=table.ranges(comparison),
        first=first,
        groups=dict(groups),
        leaders={(row.name, row.measure): table.leader(row, comparison.variants) for row in rows},
        notes=list(dict.fromkeys(cell.note for row in rows for cell in row.cells if cell.note)),
        nowhere=table.nowhere(comparison),
        csv=exports.as_csv(comparison),
        latex=exports.as_latex(comparison, first),
    )
