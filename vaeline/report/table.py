"""The table of a study: a row for each figure, a column for each variant."""

from collections.abc import Sequence
from math import floor, log10
from typing import NamedTuple

from vaeline.report.comparison import Comparison, MetricResults, PublishedComparison, Summary
from vaeline.report.headlines import HEADLINES, OTHER, Headline

BOUND = "an upper bound: {}"
SATURATED = (
    "saturated: posteriors of different images hardly overlap, so that the figure says nothing of pockets between them"
)
NO_BETTER = "no better than pixels drawn from one Gaussian, {}"
PAST_CEILING = "past its ceiling, which is what real images score: as a rule for want of variety"
MARKS = {"best": "*", "tied": "~"}
ARROWS = {"lower": "↓", "higher": "↑", None: ""}
LEGEND = """\
↓ lower is better, ↑ higher is; figures without an arrow describe a model and rank none
± half width of the 95% t-interval over seeds, on one choice of images and with one judge; errors over images are in each run's metrics.json
* best: its paired 95% interval leaves out 0 against every other variant
~ not apart: the best mean, and those whose paired interval against it holds 0"""


class Cell(NamedTuple):
    """A figure of one variant, as text."""

    value: str  # "12.3", "<= 12.3" for a bound, "-" for a dash
    spread: str = ""  # "± 0.4"
    mark: str = ""  # "best", "tied" or none
    note: str = ""  # why it is a dash or a bound, or rests on fewer seeds
    number: float | None = None  # the mean, to sort by; None for a dash


class Row(NamedTuple):
    """A figure of all variants."""

    name: str
    headline: Headline
    measure: str  # of what, where a figure of one name has several measures; each has a row of its own
    cells: list[Cell]  # in the order of the study's variants
    references: dict[str, str]  # a floor or ceiling's name -> its value


def rows(comparison: Comparison) -> list[Row]:
    """Lay out the headline figures that a variant has."""
    return _rows(comparison, comparison.headlines())


def rows_beside(comparison: Comparison) -> list[Row]:
    """Lay out the figures that go with them."""
    return _rows(comparison, comparison.beside())


def plain(comparison: Comparison, width: int) -> str:
    """The table as aligned text, cut into blocks of variants that fit `width` characters."""
    table = rows(comparison)
    notes = list(dict.fromkeys(cell.note for row in table for cell in row.cells if cell.note))
    lines = [["", *comparison.variants]]
    if any(seeds := [partial_seeds(comparison, variant) for variant in comparison.variants]):
        lines.append(["", *seeds])
    lines += [[_plain_name(row), *(_plain_cell(cell, notes) for cell in row.cells)] for row in table]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    blocks = ["\n".join(_plain_line(line, widths, block) for line in lines) for block in _blocks(widths, width)]
    scale = [
        f"{row.name}: " + ", ".join(f"{name} {value}" for name, value in row.references.items())
        for row in table
        if row.references
    ]
    footnotes = [f"[{index}] {note}" for index, note in enumerate(notes, 1)]
    absent = [f"in no system: {each}" for each in nowhere(comparison)]
    papers = [
        f"{what}: {value} published ({source}), {ours} here, {beside}"
        for what, value, ours, beside, source in published(comparison)
    ]
    return "\n\n".join([*blocks, "\n".join([LEGEND, *footnotes, *absent, *scale, *papers])])


def nowhere(comparison: Comparison) -> list[str]:
    """The figures of the table that no variant has, each with the reason: `mig: the labels are not the factors ...`."""
    return [
        f"{name}: {'; '.join(dict.fromkeys(figure.dashes.values()))}"
        for name, figure in comparison.headlines().items()
        if not figure.summaries
    ]


def published(comparison: Comparison) -> list[tuple[str, str, str, str, str]]:
    """Published figures beside ours: figure and variant, the published value, ours, their difference or why there is none, source."""
    return [
        (
            f"{each.metric} of {each.variant}",
            " ".join(filter(None, [number(each.value), spread(each.error)])),
            _ours(each),
            _beside(each),
            each.source,
        )
        for each in comparison.published
    ]  # fmt: skip


def _ours(each: PublishedComparison) -> str:
    if each.ours is None:
        return "-"
    mean, half_width = each.ours.mean, each.ours.half_width
    return " ".join(filter(None, ["<=" if each.bound else "", number(mean, half_width), spread(half_width)]))


def _beside(each: PublishedComparison) -> str:
    if each.ours is None:
        return "not measured here"
    if each.difference is None:
        return f"not compared: {'; '.join([*each.unlike, *([BOUND.format(each.bound)] if each.bound else [])])}"
    return " ".join(filter(None, [f"{each.difference:+.4g}", spread(each.ours.half_width)]))


def partial_seeds(comparison: Comparison, variant: str) -> str:
    """`3 of 5 seeds` for a variant of which runs are missing, nothing for others."""
    there, all_of_them = len(comparison.seeds_of(variant)), len(comparison.seeds)
    return f"{there} of {all_of_them} seeds" if there < all_of_them else ""


def number(value: float, half_width: float | None = None) -> str:
    """A number to the second digit of its half width; to four digits where there is none; whole ones whole."""
    if not half_width and value == round(value):
        return f"{value:,.0f}"
    scale, digits = (half_width, 2) if half_width else (value, 4)
    decimals = min(max(digits - 1 - floor(log10(abs(scale))), 0), 6)
    return f"{value:,.{decimals}f}"


def spread(half_width: float | None) -> str:
    """`± 0.41`, or nothing where there is no interval or the seeds agree."""
    if not half_width:
        return ""
    shown = number(half_width, half_width)
    return f"± {shown}" if shown.strip("0.") else "± under 0.000001"


def marks(figure: MetricResults, headline: Headline, past_ceiling: Sequence[str] = ()) -> dict[str, str]:
    """Mark the best variant if it is apart from every other; otherwise all that are not apart from the best mean.

    A variant that shares no two seeds with the best, or whose figure is only an upper bound, may be better than it seems: it
    is neither, and none is best beside it. Where the figure says little of one of them, the best mean is past what real images
    score, or is of other seeds and worse on those that are shared, it ranks none.
    """
    if headline.better is None or len(figure.summaries) < 2 or figure.saturated:
        return {}
    leader, *others = figure.ranking(headline)
    if leader in past_ceiling:
        return {}
    pairs = {other: pair for other in others if (pair := figure.pair(leader, other)) and figure.decided(pair, headline)}
    if any(pair.apart and headline.sign * pair.difference > 0 for pair in pairs.values()):
        return {}
    tied = [other for other, pair in pairs.items() if not pair.apart]
    if tied:
        return dict.fromkeys([leader, *tied], "tied")
    return {leader: "best"} if len(pairs) == len(others) else {}


def _rows(comparison: Comparison, figures: dict[str, MetricResults]) -> list[Row]:
    return [
        _row(comparison, name, measure, part)
        for name, figure in figures.items()
        if figure.summaries
        for measure, part in figure.alike().items()
    ]


def _row(comparison: Comparison, name: str, measure: str, figure: MetricResults) -> Row:
    headline = HEADLINES.get(name, OTHER)
    past = comparison.past_ceiling(name)
    marked = marks(figure, headline, past)
    floor = next((comparison.reference(each) for each in headline.references if each.endswith("_pixel_gaussian")), None)
    cells = [_cell(comparison, figure, each, marked.get(each, ""), each in past, floor) for each in comparison.variants]
    scale = {each: _scale(comparison, each) for each in headline.references if comparison.reference(each) is not None}
    return Row(name, headline, measure, cells, scale)


def _scale(comparison: Comparison, name: str) -> str:
    """A floor or ceiling, with its error where it has one."""
    value, error = comparison.reference(name), comparison.reference(f"{name}_standard_error")
    assert value is not None
    return " ".join(filter(None, [number(value, error), spread(error)]))


def _cell(
    comparison: Comparison, figure: MetricResults, variant: str, mark: str, past_ceiling: bool, floor: float | None
) -> Cell:
    if variant not in figure.summaries:
        return Cell("-", note=figure.dashes[variant])
    summary = figure.summaries[variant]
    value = number(summary.mean, summary.half_width)
    bound = variant in figure.bounds
    notes = [BOUND.format(figure.bounds[variant])] if bound else []
    notes += [SATURATED] if variant in figure.saturated else []
    notes += [PAST_CEILING] if past_ceiling else []
    notes += [NO_BETTER.format(number(floor))] if floor is not None and summary.mean >= floor else []
    notes += [figure.warnings[variant]] if variant in figure.warnings else []
    notes += [_seeds_note(summary)] if len(summary.values) < len(comparison.seeds_of(variant)) else []
    shown = f"<= {value}" if bound else value
    return Cell(shown, spread(summary.half_width), mark, "; ".join(notes), summary.mean)


def _seeds_note(summary: Summary) -> str:
    seeds = ", ".join(map(str, sorted(summary.values)))
    return f"over seed{'s' if len(summary.values) > 1 else ''} {seeds} only"


def _plain_name(row: Row) -> str:
    return " ".join(filter(None, [row.name, ARROWS[row.headline.better], f"({row.measure})" if row.measure else ""]))


def _plain_cell(cell: Cell, notes: list[str]) -> str:
    note = f"[{notes.index(cell.note) + 1}]" if cell.note else ""
    return " ".join(filter(None, [cell.value, cell.spread, note, MARKS.get(cell.mark, " ")]))


def _plain_line(line: list[str], widths: list[int], block: list[int]) -> str:
    return "  ".join([line[0].ljust(widths[0]), *(line[column].rjust(widths[column]) for column in block)]).rstrip()


def _blocks(widths: list[int], width: int) -> list[list[int]]:
    """Deal the columns, from 1 on, into blocks that fit beside column 0."""
    blocks: list[list[int]] = [[]]
    for column in range(1, len(widths)):
        taken = widths[0] + sum(2 + widths[each] for each in blocks[-1])
        if blocks[-1] and taken + 2 + widths[column] > width:
            blocks.append([])
        blocks[-1].append(column)
    return blocks
