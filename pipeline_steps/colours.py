"""Colours of the table on a terminal. Colour repeats what the marks say, and says nothing by itself."""

import os
import re
import sys
from collections.abc import Collection

import click

CELL = re.compile(r"\S+(?: ± \S+)?(?: \[\d+\])? ([*~])(?=\s|$)")  # with a mark of vaeline/report/table.py


def wanted() -> bool:
    """Whether standard output is a terminal that shows colours, and the user has not refused them (https://no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def paint(text: str, primary: Collection[str]) -> str:
    """Paint a table as `table.plain` writes it: primary metrics bold, best and tied cells green, the legend dim.

    Args:
        text: of the table; its last block is the legend.
        primary: names of the primary metrics.
    """
    *blocks, legend = text.split("\n\n")
    painted = ["\n".join(_row(line, primary) for line in block.splitlines()) for block in blocks]
    return "\n\n".join([*painted, "\n".join(click.style(line, dim=True) for line in legend.splitlines())])


def _row(line: str, primary: Collection[str]) -> str:
    name, _, _ = line.partition(" ")
    if not name:  # variants, or their numbers of seeds
        return click.style(line, bold=True)
    cells = CELL.sub(
        lambda cell: click.style(cell[0], fg="green", bold=cell[1] == "*" or None), line.removeprefix(name)
    )
    return click.style(name, bold=name in primary or None) + cells
