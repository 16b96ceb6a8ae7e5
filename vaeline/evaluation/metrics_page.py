"""The index of docs/metrics.md: every metric with its unit, direction and definition, from the entries."""

from pathlib import Path

from vaeline.evaluation.catalogue import Catalogue, catalogue
from vaeline.metrics._entry import GROUPS, Metric
from vaeline.study import parts
from vaeline.system.errors import UserError
from vaeline.system.page_blocks import blocks, rewritten

PAGE = Path("docs/metrics.md")
KIND, NAME = "index", "metrics"  # of the block
WRITTEN = "<!-- `make parts` writes this block; edits are lost. -->"
ARROWS = {"lower": "lower is better", "higher": "higher is better", None: "describes"}


def index() -> str:
    """The index as Markdown: a table for each group."""
    found = catalogue()
    return "\n\n".join([WRITTEN, *(part for group in GROUPS for part in _group(found, group))])


def with_index(page: str) -> str:
    """The page of metrics with the index between its marks brought up to date.

    Raises:
        UserError: the marks are wrong or missing.
    """
    found = blocks(PAGE, page, [KIND])
    if [each.name for each in found] != [NAME]:
        raise UserError(
            f"{PAGE} should have one block `<!-- {KIND}: {NAME} -->`; write it, with `<!-- end of {KIND} -->` under it, and run again."
        )
    return rewritten(page, found, lambda _: f"{index()}\n\n")


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
