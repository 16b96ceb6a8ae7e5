"""The section "Results": the table of all metrics, with its footnotes."""

from collections import defaultdict
from dataclasses import dataclass

from vaeline.report import table
from vaeline.report.comparison import Comparison
from vaeline.report.sections.section import Section


@dataclass(frozen=True)
class TableSection(Section):
    """The table of results."""

    id, title, template = "table", "Results", "results_table.html.j2"

    variants: list[str]
    seeds: dict[str, str]  # variant -> "3 of 5 seeds"; empty if all are there
    ranges: list[str]  # what the intervals range over
    groups: dict[str, list[table.Row]]  # group of metrics -> its rows
    notes: list[str]  # the notes of all cells, once each
    nowhere: list[str]  # metrics that no variant has, with the reason


def table_section(comparison: Comparison, rows: list[table.Row]) -> TableSection:
    """The table of results.

    Args:
        comparison: of the study.
        rows: the table of results.
    """
    groups: dict[str, list[table.Row]] = defaultdict(list)
    for row in rows:
        groups[row.metric.group].append(row)
    return TableSection(
        variants=comparison.variants,
        seeds={variant: table.partial_seeds(comparison, variant) for variant in comparison.variants},
        ranges=table.ranges(comparison),
        groups=dict(groups),
        notes=list(dict.fromkeys(cell.note for row in rows for cell in row.cells if cell.note)),
        nowhere=table.nowhere(comparison),
    )
