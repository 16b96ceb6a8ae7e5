"""The table of a study: a row for each metric, a column for each variant."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from math import floor, log10
from typing import NamedTuple

from vaeline.evaluation.catalogue import catalogue
from vaeline.metrics._entry import Metric
from vaeline.report.comparison import Comparison, MetricResults, PublishedComparison, ReferenceValue, Summary
from vaeline.report.estimates import CLASSIFIERS
from vaeline.report.text_table import aligned, widths

UPPER_BOUND = "an upper bound: {}"
SATURATED = (
    "saturated: posteriors of different images hardly overlap, so that the metric says nothing of pockets between them"
)
NO_BETTER = "no better than pixels drawn from one Gaussian, {}"
NOT_RANKED = "not ranked: {}"
BETTER_THAN_REAL = "better than real images, so that a better value no longer means samples more like them"
MARKS = {"best": "*", "tied": "~"}
ARROWS = {"lower": "↓", "higher": "↑", None: ""}
LEGEND = """\
↓ lower is better, ↑ higher is better; metrics without an arrow describe a model and rank none
spread: standard deviation over sets of real images; s.e.: standard error; neither is half the width of an interval
* best in a primary metric: the paired interval excludes 0 against every other variant, adjusted for all comparisons of primary metrics (Holm)
~ not significantly different in a primary metric: the best mean, and those whose adjusted interval against it includes 0
metrics without a mark are exploratory: their intervals are not adjusted, and claim nothing"""
BRIEF_LEGEND = "* best in a primary metric, ~ not told from the best; rows without a mark claim nothing"
INTERVAL = "± half width of the 95% interval {}"
MOST_FIRST = 6  # metrics that a reader sees first


class Cell(NamedTuple):
    """A metric of one variant, as text."""

    value: str  # "12.3", "<= 12.3" for an upper bound, "-" for a dash, or the words of a verdict
    spread: str = ""  # "± 0.4"
    mark: str = ""  # "best", "tied" or none
    note: str = (
        ""  # why it is a dash, an upper bound or not ranked, the numbers behind a verdict, or the seeds it rests on
    )
    number: float | None = None  # the mean, to sort by; None for a dash


class Row(NamedTuple):
    """A metric of all variants."""

    name: str
    metric: Metric
    measure: str  # what is measured, if the metric has several measures; each has a row of its own
    cells: list[Cell]  # in the order of the study's variants
    references: dict[str, str]  # name of a floor, ceiling or other reference -> its value


def rows(comparison: Comparison) -> list[Row]:
    """Lay out the metrics of the table that a variant has."""
    return _rows(comparison, comparison.main_metrics())


def companion_rows(comparison: Comparison) -> list[Row]:
    """Lay out the numbers that go with them, such as errors."""
    return _rows(comparison, comparison.companions())


def first_rows(rows: list[Row], primary: list[str]) -> list[Row]:
    """The primary metrics, then the first metric of each group that has none of them, if possible one that ranks."""
    chosen = sorted((row for row in rows if row.name in primary), key=lambda row: primary.index(row.name))
    groups = {row.metric.group for row in chosen}
    others: dict[str, Row] = {}
    for row in sorted(rows, key=lambda row: row.metric.better is None):
        if row.metric.group not in groups:
            others.setdefault(row.metric.group, row)
    return [*chosen, *(row for row in rows if row in others.values())][:MOST_FIRST]


def plain(comparison: Comparison, width: int) -> str:
    """The table as aligned text, primary metrics first, cut into blocks of variants that fit `width` characters."""
    primary = [*comparison.primary]
    table = sorted(rows(comparison), key=lambda row: primary.index(row.name) if row.name in primary else len(primary))
    scale = [
        f"{row.name}: " + ", ".join(f"{name} {value}" for name, value in row.references.items())
        for row in table
        if row.references
    ]
    absent = [f"in no system: {each}" for each in nowhere(comparison)]
    papers = [
        f"{what}: {value} published ({source}), {ours} here, {beside}"
        for what, value, ours, beside, source in published(comparison)
    ]
    intervals = [INTERVAL.format(each) for each in ranges(comparison)]
    blocks, footnotes = _laid_out(comparison, table, width)
    return "\n\n".join([*blocks, "\n".join([LEGEND, *intervals, *footnotes, *absent, *scale, *papers])])


def brief(comparison: Comparison, width: int) -> str:
    """The first rows of the table as aligned text, and what they need to be read."""
    shown = first_rows(rows(comparison), comparison.primary)
    blocks, footnotes = _laid_out(comparison, shown, width)
    intervals = [INTERVAL.format(each) for each in ranges(comparison, {row.name for row in shown})]
    return "\n\n".join([*blocks, "\n".join([BRIEF_LEGEND, *intervals, *footnotes])])


def _laid_out(comparison: Comparison, table: list[Row], width: int) -> tuple[list[str], list[str]]:
    """Blocks of aligned lines, and the footnotes that they refer to."""
    notes = list(dict.fromkeys(cell.note for row in table for cell in row.cells if cell.note))
    lines = [["", *comparison.variants]]
    if any(seeds := [partial_seeds(comparison, variant) for variant in comparison.variants]):
        lines.append(["", *seeds])
    lines += [[_plain_name(row), *(_plain_cell(cell, notes) for cell in row.cells)] for row in table]
    blocks = [
        "\n".join(aligned([[line[0], *(line[column] for column in block)] for line in lines], "<>"))
        for block in _blocks(widths(lines), width)
    ]
    return blocks, [f"[{index}] {note}" for index, note in enumerate(notes, 1)]


def ranges(comparison: Comparison, names: Collection[str] | None = None) -> list[str]:
    """What the intervals of the table range over: the first those of most metrics, the others those of metrics that they name.

    Args:
        comparison: the study's.
        names: of the metrics that are shown; all main metrics by default.
    """
    several = any(CLASSIFIERS in results.over for results in comparison.metrics.values())
    alone = f"new seeds, with the same test images{'' if several else ' and one classifier'}"
    found: dict[str, list[str]] = {}
    for name, results in comparison.main_metrics().items():
        if results.over and (names is None or name in names):
            found.setdefault(over_in_words(results) if results.over[1:] else alone, []).append(name)
    most, *others = sorted(found, key=lambda over: -len(found[over])) or [""]
    return [f"for {most}", *(f"for {over}: {', '.join(found[over])}" for over in others)] if most else []


def over_in_words(results: MetricResults) -> str:
    """What the intervals of a metric range over: `new seeds and new images`; empty if there are none."""
    return " and ".join(f"new {each}" for each in results.over)


def nowhere(comparison: Comparison) -> list[str]:
    """The metrics of the table that no variant has, by their reason: `mig: the labels are not the factors ...`."""
    by_reason: dict[str, list[str]] = {}
    for name, results in comparison.main_metrics().items():
        if not results.summaries:
            by_reason.setdefault("; ".join(dict.fromkeys(results.dashes.values())), []).append(name)
    return [f"{', '.join(names)}: {reason}" for reason, names in by_reason.items()]


def published(comparison: Comparison) -> list[tuple[str, str, str, str, str]]:
    """Published values next to ours: metric and variant, the published value, ours, their difference or why there is none, source."""
    return [
        (
            f"{each.metric} of {each.variant}",
            " ".join(filter(None, [number(each.value), in_brackets("error", each.error)])),
            _ours(each),
            _difference(each),
            each.source,
        )
        for each in comparison.published
    ]  # fmt: skip


def _ours(each: PublishedComparison) -> str:
    if each.ours is None:
        return "-"
    mean, half_width = each.ours.mean, each.ours.half_width
    return " ".join(filter(None, ["<=" if each.upper_bound else "", number(mean, half_width), spread(half_width)]))


def _difference(each: PublishedComparison) -> str:
    if each.ours is None:
        return "not measured here"
    if each.difference is None:
        bound = [UPPER_BOUND.format(each.upper_bound)] if each.upper_bound else []
        return f"not compared: {'; '.join([*each.unlike, *bound])}"
    return " ".join(filter(None, [f"{each.difference:+.4g}", spread(each.ours.half_width)]))


def partial_seeds(comparison: Comparison, variant: str) -> str:
    """`3 of 5 seeds` for a variant of which runs are missing, nothing for others."""
    there, all_of_them = len(comparison.seeds_of(variant)), len(comparison.seeds)
    return f"{there} of {all_of_them} seeds" if there < all_of_them else ""


def number(value: float, half_width: float | None = None) -> str:
    """A number to the second digit of its half width; to four digits where there is none; whole ones whole."""
    if not half_width and value == round(value):
        return f"{value:z,.0f}"
    scale, digits = (half_width, 2) if half_width else (value, 4)
    decimals = min(max(digits - 1 - floor(log10(abs(scale))), 0), 6)
    return f"{value:z,.{decimals}f}"  # z: no minus before a 0


def spread(half_width: float | None) -> str:
    """`± 0.41`, or nothing where there is no interval or the seeds agree."""
    if not half_width:
        return ""
    shown = number(half_width, half_width)
    return f"± {shown}" if shown.strip("0.") else "± under 0.000001"


def marks(results: MetricResults, metric: Metric, unranked: Sequence[str] = ()) -> dict[str, str]:
    """Mark the best variant if it differs significantly from every other; otherwise all that do not differ from the best mean.

    A variant that shares no two seeds with the best, or whose value is only an upper bound, is not
    ranked, and no variant is marked best. Nothing is ranked if a value is saturated, if the best mean is better than that
    of real images, or if the best mean is of other seeds and worse on those that are shared.
    """
    if metric.better is None or len(results.ranked) < 2 or results.saturated:
        return {}
    leader, *others = results.ranking(metric)
    if leader in unranked:
        return {}
    found = {other: pair for other in others if (pair := results.pair(leader, other))}
    pairs = {other: pair for other, pair in found.items() if results.decided(pair, metric)}
    if any(pair.significant and metric.sign * pair.difference > 0 for pair in pairs.values()):
        return {}
    tied = [other for other, pair in pairs.items() if not pair.significant]
    if tied:
        return dict.fromkeys([leader, *tied], "tied")
    return {leader: "best"} if len(pairs) == len(others) else {}


def leader(row: Row, variants: Sequence[str]) -> str:
    """The best variant of a row with its value: `best: cvae 12.3 ± 0.4`; empty if the metric ranks none or if the best value has a note.

    Of metrics that are not primary it is the best mean, which claims nothing.
    """
    cells = {variant: cell for variant, cell in zip(variants, row.cells, strict=True) if cell.number is not None}
    if not cells or row.metric.better is None:
        return ""
    best = min(cells, key=lambda variant: row.metric.sign * (cells[variant].number or 0.0))
    if cells[best].note:
        return ""
    tied = [variant for variant in cells if cells[variant].mark == "tied"]
    if tied:
        return f"not told apart: {', '.join(tied)}"
    words = "best" if cells[best].mark else "best mean"
    return f"{words}: {best} {cells[best].value} {cells[best].spread}".strip()


def _rows(comparison: Comparison, metrics: dict[str, MetricResults]) -> list[Row]:
    return [
        _row(comparison, name, measure, part)
        for name, results in metrics.items()
        if results.summaries
        for measure, part in results.alike().items()
    ]


def _row(comparison: Comparison, name: str, measure: str, results: MetricResults) -> Row:
    metric = catalogue().metric(name)
    if not results.ranked:
        metric = replace(metric, better=None)
    marked = marks(results.claimed, metric, comparison.unranked(name)) if name in comparison.primary else {}
    past = _notes_past_references(comparison, name)
    cells = [_cell(comparison, results, each, marked.get(each, ""), past.get(each, [])) for each in comparison.variants]
    known = {
        each.name: comparison.references[each.name] for each in metric.references if each.name in comparison.references
    }
    return Row(name, metric, measure, cells, {each: scale(value) for each, value in known.items()})


def _notes_past_references(comparison: Comparison, name: str) -> dict[str, list[str]]:
    """What to note of variants whose value is past a reference of the metric."""
    notes: dict[str, list[str]] = {variant: [BETTER_THAN_REAL] for variant in comparison.unranked(name)}
    for variant, reference in comparison.past(name, "no better than one Gaussian").items():
        words = NO_BETTER.format(scale(comparison.references[reference.name]))
        notes.setdefault(variant, []).append(words)
    return notes


def scale(reference: ReferenceValue) -> str:
    """A floor, a ceiling or another reference as text: `1.02 (spread 0.17)`, `0.3 (s.e. 4.1)`."""
    named = "spread", reference.spread
    if reference.spread is None:
        named = "s.e.", reference.standard_error
    return " ".join(filter(None, [number(reference.value, named[1]), in_brackets(*named)]))


def in_brackets(name: str, value: float | None) -> str:
    """`(s.e. 4.1)`, for what is no half width of an interval; nothing if the value is not known, or is 0."""
    return f"({name} {number(value, value)})" if value else ""


def _cell(comparison: Comparison, results: MetricResults, variant: str, mark: str, past: list[str]) -> Cell:
    if variant not in results.summaries:
        return Cell("-", note=results.dashes[variant])
    summary = results.summaries[variant]
    value, half_width = number(summary.mean, summary.half_width), spread(summary.half_width)
    if variant in results.verdicts:
        value, half_width = results.verdicts[variant].words, ""
    bound = variant in results.upper_bounds
    notes = [UPPER_BOUND.format(results.upper_bounds[variant])] if bound else []
    notes += [results.verdicts[variant].evidence] if variant in results.verdicts else []
    notes += [NOT_RANKED.format(results.descriptive[variant])] if variant in results.descriptive else []
    notes += [SATURATED] if variant in results.saturated else []
    notes += past
    notes += [results.warnings[variant]] if variant in results.warnings else []
    notes += [_seeds_note(summary)] if len(summary.values) < len(comparison.seeds_of(variant)) else []
    shown = f"<= {value}" if bound else value
    return Cell(shown, half_width, mark, "; ".join(notes), summary.mean)


def _seeds_note(summary: Summary) -> str:
    seeds = ", ".join(map(str, sorted(summary.values)))
    return f"over seed{'s' if len(summary.values) > 1 else ''} {seeds} only"


def _plain_name(row: Row) -> str:
    return " ".join(filter(None, [row.name, ARROWS[row.metric.better], f"({row.measure})" if row.measure else ""]))


def _plain_cell(cell: Cell, notes: list[str]) -> str:
    note = f"[{notes.index(cell.note) + 1}]" if cell.note else ""
    return " ".join(filter(None, [cell.value, cell.spread, note, MARKS.get(cell.mark, " ")]))


def _blocks(widths: list[int], width: int) -> list[list[int]]:
    """Deal the columns, from 1 on, into blocks that fit next to column 0."""
    blocks: list[list[int]] = [[]]
    for column in range(1, len(widths)):
        taken = widths[0] + sum(2 + widths[each] for each in blocks[-1])
        if blocks[-1] and taken + 2 + widths[column] > width:
            blocks.append([])
        blocks[-1].append(column)
    return blocks
