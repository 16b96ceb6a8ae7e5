"""Trade-offs of the variants: likelihood against samples, and each of them against what it costs (Pareto, 1896)."""

from textwrap import fill

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter, MaxNLocator

from vaeline.report.findings import Findings
from vaeline.report.plots.shared.broken_axis import Break, apply_break, break_between
from vaeline.report.plots.shared.contract import Plot
from vaeline.report.plots.shared.legend import add_legend
from vaeline.report.plots.shared.variant_colours import colours, marker_of
from vaeline.report.tradeoffs import COSTS, Scale, front, means, panels, scales
from vaeline.system.plot_style import COLOURS

PANEL = (3.3, 2.9)  # inches
BOUND = "v"  # marks a likelihood that is an upper bound: the true value lies below
MOST_IN_PANEL = 12  # rows of a legend in a panel
MANY = len(COLOURS)  # variants; of more, whose colours repeat, those on the front have their names beside them
ROOM = (0.3, 0.06)  # across and up, that a name takes of a panel
LETTERS = 34  # of a line of an axis label
WIDE = 10  # a scale is logarithmic if its largest value is more than this times its smallest


def draw(findings: Findings) -> Figure:
    """Every two scales against each other: runs as faint dots, means with their intervals as bold dots, filled on the front."""
    found = scales(findings)
    rows = panels(found)
    size = (len(rows[0]) * PANEL[0], len(rows) * PANEL[1] + 0.4)
    figure = Figure(figsize=size, layout="constrained")
    places = figure.subplots(len(rows), len(rows[0]), squeeze=False)
    for row, of_row in zip(places, rows, strict=True):
        for axes, panel in zip(row, of_row, strict=True):
            if panel is None:
                axes.set_axis_off()
                continue
            x, y = (found[key] for key in panel)
            _draw_panel(axes, findings.variants, x, y)
            axes.set_ylabel(fill(y.label, LETTERS) if not any(of_row[: of_row.index(panel)]) else "")
    _draw_legend(figure, findings.variants, list(found.values()))
    return figure


def _draw_panel(axes: Axes, variants: list[str], x: Scale, y: Scale) -> None:
    found = means(x, y)
    best = sorted(found[variant] for variant in front(found))
    ink = matplotlib.rcParams["text.color"]
    axes.step(*zip(*best, strict=True), where="post", color=ink, linewidth=0.8, alpha=0.5, zorder=1)
    for variant, colour in colours(variants).items():
        if variant in found:
            marker = marker_of(variants, variant)
            _draw_runs(axes, x.summaries[variant].values, y.summaries[variant].values, colour, marker)
            mean = BOUND if variant in x.bounds | y.bounds else marker
            _draw_mean(axes, variant, (x, y), {"fmt": mean, "color": colour}, found[variant] in best)
    axes.set_xlabel(fill(x.label, LETTERS))
    _set_scales(axes, x, y)
    if len(variants) > MANY:
        _name_front(axes, {variant: found[variant] for variant in front(found)})


def _name_front(axes: Axes, places: dict[str, tuple[float, float]]) -> None:
    """Write the names of variants on the front to the right of their means, the last to the left, without those that have no room."""
    axes.autoscale_view()
    ranked = sorted(places, key=lambda variant: places[variant])
    taken: list[tuple[float, float]] = []
    for variant in ranked:
        x, y = axes.transAxes.inverted().transform(axes.transData.transform(places[variant]))
        if all(abs(x - u) > ROOM[0] or abs(y - v) > ROOM[1] for u, v in taken):
            taken.append((x, y))
            across, by = ("right", -5) if variant == ranked[-1] and len(ranked) > 1 else ("left", 5)
            text = axes.annotate(variant, places[variant], (by, 4), textcoords="offset points", ha=across, va="bottom")
            text.set(fontsize=7, parse_math=False, zorder=4)


def _draw_runs(axes: Axes, x: dict[int, float], y: dict[int, float], colour: str, marker: str) -> None:
    """Draw a variant's runs, given by seed, as faint dots."""
    seeds = [seed for seed in x if seed in y]
    dots = [x[seed] for seed in seeds], [y[seed] for seed in seeds]
    axes.plot(*dots, marker, color=colour, markersize=3, markeredgewidth=0, alpha=0.4, zorder=2)


def _draw_mean(axes: Axes, variant: str, scales: tuple[Scale, Scale], style: dict[str, str], filled: bool) -> None:
    """Draw a variant's mean with its intervals as a bold dot."""
    across, up = (scale.summaries[variant] for scale in scales)
    axes.errorbar(
        across.mean,
        up.mean,
        xerr=across.half_width or None,
        yerr=up.half_width or None,
        markersize=7,
        markeredgewidth=1.6,
        markerfacecolor=style["color"] if filled else "none",
        elinewidth=1,
        zorder=3,
        fmt=style["fmt"],
        color=style["color"],
    )


def _set_scales(axes: Axes, x: Scale, y: Scale) -> None:
    axes.xaxis.set_major_locator(MaxNLocator(5))
    for across, scale in ((True, x), (False, y)):
        if at := _break(scale):
            apply_break(axes, across, at)
        elif _is_wide(scale):
            (axes.set_xscale if across else axes.set_yscale)("log")
    if x.metric == "parameters":
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))


def _break(scale: Scale) -> Break | None:
    """The break of a quality in which a variant is far off at least two others; costs are orders of magnitude apart by nature."""
    if scale.metric in COSTS or len(scale.summaries) < 3:
        return None
    ends = [
        [*of.values.values(), of.mean - (of.half_width or 0), of.mean + (of.half_width or 0)]
        for of in scale.summaries.values()
    ]
    return break_between([(min(each), max(each)) for each in ends])


def _is_wide(scale: Scale) -> bool:
    values = [summary.mean for summary in scale.summaries.values()]
    return 0 < min(values) < max(values) / WIDE


def _draw_legend(figure: Figure, variants: list[str], found: list[Scale]) -> None:
    """Draw the legend in an empty panel if there is one that takes it, and above the panels otherwise."""
    shown = [variant for variant in variants if any(variant in scale.summaries for scale in found)]
    handles = [*_variant_handles(variants, shown), *_sign_handles(bounds=any(scale.bounds for scale in found))]
    empty = [axes for axes in figure.axes if not axes.axison]
    if empty and len(handles) <= MOST_IN_PANEL:
        empty[0].legend(handles=handles, loc="center", frameon=False)
    else:
        add_legend(figure, handles, [str(each.get_label()) for each in handles])


def _variant_handles(variants: list[str], shown: list[str]) -> list[Line2D]:
    of = colours(variants)
    return [
        Line2D([], [], linestyle="", marker=marker_of(variants, variant), color=of[variant], label=variant)
        for variant in shown
    ]


def _sign_handles(bounds: bool) -> list[Line2D]:
    ink = matplotlib.rcParams["text.color"]
    signs = {"on the Pareto front": ("o", ink), "beaten by another": ("o", "none")}
    if bounds:
        signs["upper bound"] = (BOUND, ink)
    return [
        Line2D([], [], linestyle="", marker=marker, color=ink, markerfacecolor=fill, label=label)
        for label, (marker, fill) in signs.items()
    ]


def _missing(findings: Findings) -> str:
    return "" if panels(scales(findings)) else "No two variants of this study have metrics to trade off."


PLOT = Plot(draw, _missing, forms=("png", "svg"))
