"""The results of a study as text for other programs: CSV of all values, LaTeX of some rows (with the package booktabs)."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO

from vaeline.evaluation.catalogue import catalogue
from vaeline.metrics._entry import Metric
from vaeline.report.comparison import Comparison
from vaeline.report.decisions import is_decided, why_open, why_unranked
from vaeline.report.paired_differences import Pair
from vaeline.report.table import ARROWS, Cell, Row, number, spread
from vaeline.report.text_table import aligned
from vaeline.report.words import title, wins

COLUMNS = ("variant", "metric", "measure", "mean", "half_width", "seeds", "unit", "better", "upper_bound")
OF_PAIRS = (
    "metric", "first", "second", "difference", "half_width", "p_value", "level", "claimed", "decided", "seeds", "won", "lost",
    "over", "unit", "better",
)  # fmt: skip
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
    return written(COLUMNS, _means(comparison))


def _means(comparison: Comparison) -> Iterator[tuple[object, ...]]:
    for name, results in comparison.main_metrics().items():
        metric = catalogue().metric(name)
        for variant, of in results.summaries.items():
            values = (of.mean, of.half_width, len(of.values), metric.unit, metric.better)
            yield variant, name, results.measures.get(variant), *values, int(variant in results.upper_bounds)


def comparisons_as_csv(comparison: Comparison) -> str:
    """A line for each pair of variants that comparison.json holds: the difference, first minus second, with its interval at `level`."""
    return written(OF_PAIRS, _differences(comparison))


def _differences(comparison: Comparison) -> Iterator[tuple[object, ...]]:
    for name in comparison.main_metrics():
        metric = catalogue().metric(name)
        for pair in comparison.metrics[name].pairs:
            known = (pair.difference, pair.half_width, pair.p_value, pair.level, int(pair.claimed))
            seeds = (int(is_decided(comparison, name, pair)), pair.seeds, pair.won, pair.lost, " and ".join(pair.over))
            yield name, pair.first, pair.second, *known, *seeds, metric.unit, metric.better


def comparisons_as_text(comparison: Comparison) -> str:
    """A line for each pair of variants in each primary metric, with `*` if it is decided, or else why not."""
    lines = []
    for name, pair in _of_primary(comparison):
        metric = catalogue().metric(name)
        amount = f"{number(pair.difference, pair.half_width)} {spread(pair.half_width)} {metric.unit}".strip()
        heads = (f"{name} {ARROWS[metric.better]}".strip(), f"{pair.first} - {pair.second}")
        lines.append([*heads, amount, wins(pair), why_open(comparison, name, pair) or "*"])
    if not lines:
        return "No two variants are compared in a primary metric.\n"
    legend = "* the interval excludes 0, adjusted for all comparisons of primary metrics (Holm)"
    return "\n".join([*aligned(lines, "<"), "", legend, ""])


def comparisons_as_latex(comparison: Comparison) -> str:
    """A table of booktabs: a line for each pair of variants in each primary metric; decided differences are bold."""
    heads = "Metric & Variants & Difference & Seeds won"
    lines = []
    for name, pair in _of_primary(comparison):
        variants = rf"{_escaped(pair.first)} $-$ {_escaped(pair.second)}"
        difference, wins = _difference(comparison, name, pair), f"{pair.won} of {pair.seeds}"
        lines.append(" & ".join([_heading(catalogue().metric(name), name), variants, difference, wins]))
    return _booktabs("lllr", heads, lines, "differences are the first variant minus the second, over the seeds of both")


def _of_primary(comparison: Comparison) -> list[tuple[str, Pair]]:
    """Each pair of variants in each primary metric."""
    return [(name, pair) for name in comparison.primary for pair in comparison.metrics[name].pairs]


def _difference(comparison: Comparison, name: str, pair: Pair) -> str:
    """The difference as LaTeX, bold if it is decided; a pair that the metric cannot rank says so."""
    value = number(pair.difference, pair.half_width).replace(",", "{,}")
    value = rf"$\mathbf{{{value}}}$" if is_decided(comparison, name, pair) else f"${value}$"
    note = "(not ranked)" if why_unranked(comparison, name, pair) else ""
    return " ".join(filter(None, [value, _escaped(spread(pair.half_width)), note]))


def written(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Rows as CSV: None is empty, and text that a spreadsheet would compute stays text."""
    file = StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerows([columns, *([_no_formula(value) for value in row] for row in rows)])
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
    heads = " & ".join(["Variant", *(_heading(row.metric, row.name) for row in rows)])
    lines = [
        " & ".join([_escaped(variant), *(_cell(row.cells[place]) for row in rows)])
        for place, variant in enumerate(comparison.variants)
    ]
    return _booktabs("l" + "r" * len(rows), heads, lines)


def _booktabs(columns: str, heads: str, lines: Sequence[str], note: str = "") -> str:
    """A table with the rules of booktabs, under a comment that says what it needs and what its numbers are."""
    about = "; ".join(filter(None, ["% needs \\usepackage{booktabs}; ± is half the width of a 95% interval", note]))
    rules = [rf"\begin{{tabular}}{{{columns}}}", r"\toprule", rf"{heads} \\", r"\midrule"]
    return "\n".join([about, *rules, *(rf"{line} \\" for line in lines), r"\bottomrule", r"\end{tabular}", ""])


def _heading(metric: Metric, name: str) -> str:
    arrow = {"lower": r" $\downarrow$", "higher": r" $\uparrow$", None: ""}[metric.better]
    unit = f" ({metric.unit})" if metric.unit else ""
    return _escaped(f"{title(metric, name)}{unit}") + arrow


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
