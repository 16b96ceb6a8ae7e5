"""The index of docs/metrics.md: every metric with its unit, direction and definition, from the entries."""

from vaeline.evaluation.catalogue import Catalogue, catalogue
from vaeline.metrics._entry import GROUPS, Metric
from vaeline.study import parts

BEGIN, END = "<!-- index: written by `make parts` -->", "<!-- end of the index -->"
ARROWS = {"lower": "lower is better", "higher": "higher is better", None: "describes"}


def index() -> str:
    """The index as Markdown: a table for each group."""
    found = catalogue()
    blocks = [block for group in GROUPS for block in _group(found, group)]
    return "\n\n".join([BEGIN, *blocks, END])


def with_index(page: str) -> str:
    """A page with the index between its marks brought up to date.

    Raises:
        ValueError: the page has no marks.
    """
    before, rest = page.split(BEGIN, 1)
    return before + index() + rest.split(END, 1)[1]


def _group(found: Catalogue, group: str) -> list[str]:
    ours = parts.built_in("metrics")  # the page does not depend on the project's own metrics
    rows = [
        _row(name, each) for name, each in found.metrics.items() if each.group == group and found.files[name] in ours
    ]
    head = ["| metric | unit | direction | definition |", "|---|---|---|---|"]
    return [f"### {group}", "\n".join([*head, *rows])] if rows else []


def _row(name: str, metric: Metric) -> str:
    references = [each.name for each in metric.references]
    scale = f" References: {', '.join(f'`{each}`' for each in references)}." if references else ""
    cells = [f"`{name}`", metric.unit, ARROWS[metric.better], metric.definition + scale]
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
