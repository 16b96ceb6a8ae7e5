"""The results of a study as text for other programs: CSV of all values, LaTeX of some rows (with the package booktabs)."""

import csv
import re
from collections.abc import Sequence
from io import StringIO

from vaeline.evaluation.catalogue import catalogue
from vaeline.report.comparison import Comparison
from vaeline.report.table import Cell, Row
from vaeline.report.words import title

COLUMNS = ("variant", "metric", "measure", "mean", "half_width", "seeds", "unit", "better", "upper_bound")
SPECIAL = re.compile(r"[&%$#_{}]")
NUMBER = re.compile(r"-?[\d.,]+")
IN_WORDS = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "σ": r"$\sigma$",
}


def as_csv(comparison: Comparison) -> str:
    """A line for each variant and metric that the variant has: the mean over seeds, and half the width of its 95% interval."""
    file = StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    for name, results in comparison.main_metrics().items():
        metric = catalogue().metric(name)
        for variant, of in results.summaries.items():
            half_width = "" if of.half_width is None else of.half_width
            values = (of.mean, half_width, len(of.values), metric.unit, metric.better or "")
            row = (variant, name, results.measures.get(variant, ""), *values)
            writer.writerow([*map(_no_formula, row), int(variant in results.upper_bounds)])
    return file.getvalue()


def _no_formula(value: object) -> object:
    """Text that a spreadsheet would compute, as text."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@")) else value


def as_latex(comparison: Comparison, rows: Sequence[Row]) -> str:
    """A table of booktabs: a line for each variant, a column for each row of the report's table; the best is bold.

    Args:
        comparison: of the study.
        rows: of the table.
    """
    heads = " & ".join(["Variant", *(_head(row) for row in rows)])
    lines = [
        " & ".join([_escaped(variant), *(_cell(row.cells[place]) for row in rows)]) + r" \\"
        for place, variant in enumerate(comparison.variants)
    ]
    body = [
        rf"\begin{{tabular}}{{l{'r' * len(rows)}}}",
        r"\toprule",
        rf"{heads} \\",
        r"\midrule",
        *lines,
        r"\bottomrule",
    ]
    return "\n".join(
        ["% needs \\usepackage{booktabs}; ± is half the width of a 95% interval", *body, r"\end{tabular}", ""]
    )


def _head(row: Row) -> str:
    arrow = {"lower": r" $\downarrow$", "higher": r" $\uparrow$", None: ""}[row.metric.better]
    unit = f" ({row.metric.unit})" if row.metric.unit else ""
    return _escaped(f"{title(row.metric, row.name)}{unit}") + arrow


def _cell(cell: Cell) -> str:
    if cell.value == "-":
        return "--"
    value = cell.value.removeprefix("<= ")
    if NUMBER.fullmatch(value):
        value = value.replace(",", "{,}")
        shown = rf"$\mathbf{{{value}}}$" if cell.mark == "best" else f"${value}$"
    else:
        shown = _escaped(value)
    shown = rf"$\le$ {shown}" if cell.value.startswith("<= ") else shown
    return f"{shown} {_escaped(cell.spread)}".strip()


def _escaped(text: str) -> str:
    """Text as LaTeX shows it."""
    marked = SPECIAL.sub(
        lambda found: "\0" + found[0], text
    )  # else the backslashes of this step would be taken for the text's
    return "".join(IN_WORDS.get(letter, letter) for letter in marked).replace("\0", "\\")
