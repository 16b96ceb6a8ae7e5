"""Cells as text in columns: each is as wide as its widest cell, and two spaces from the next."""

from collections.abc import Sequence


def widths(lines: Sequence[Sequence[str]]) -> list[int]:
    """The width of each column."""
    return [max(map(len, column)) for column in zip(*lines, strict=True)]


def aligned(lines: Sequence[Sequence[str]], sides: str) -> list[str]:
    """A text for each line of cells.

    Args:
        lines: of equally many cells.
        sides: `<` for a column whose cells stand left, `>` for one whose cells stand right; the last one holds for all further columns.
    """
    columns = [*zip(sides.ljust(len(lines[0]), sides[-1]), widths(lines), strict=True)] if lines else []
    return [
        "  ".join(f"{cell:{side}{width}}" for cell, (side, width) in zip(line, columns, strict=True)).rstrip()
        for line in lines
    ]
