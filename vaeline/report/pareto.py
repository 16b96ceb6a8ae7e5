"""Trade-offs: what a variant's likelihood and samples cost, and which variants no other is as good as in both (Pareto, 1896)."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter, MaxNLocator

from vaeline.evaluation.catalogue import catalogue
from vaeline.report import answer
from vaeline.report.compare import summarise
from vaeline.report.comparison import Comparison, Summary
from vaeline.report.plots.figures import colours, said
from vaeline.report.results import Results
from vaeline.system.plot_style import COLOURS

QUALITIES, COSTS = ("likelihood", "samples"), ("parameters", "seconds")
PANEL = (3.3, 2.9)  # inches
MARKERS = ["o", "s", "D", "^"]  # a round through the colours each
BOUND = "v"  # a likelihood that is an upper bound: the true one lies below
WIDE = 10  # a scale whose greatest value is so many times its least is logarithmic


class Scale(NamedTuple):
    """What variants are held against each other in, with a value for each that has one; lower is better in all."""

    figure: str  # its name among the study's figures, or `seconds`
    label: str
    summaries: Mapping[str, Summary]  # by variant
    bounds: frozenset[str]  # variants whose value is an upper bound


def scales(results: Results, comparison: Comparison) -> dict[str, Scale]:
    """The scales on which two variants at least have a value: of `likelihood`, `samples`, `parameters` and `seconds`."""
    found = {
        "likelihood": _of_figure(comparison, answer.figure(comparison, answer.LIKELIHOOD)),
        "samples": _of_figure(comparison, answer.figure(comparison, answer.SAMPLES)),
        "parameters": _of_figure(comparison, "parameters"),
        "seconds": _of_training(results),
    }
    return {key: scale for key, scale in found.items() if scale and len(scale.summaries) > 1}


def panels(scales: Mapping[str, Scale]) -> list[list[tuple[str, str] | None]]:
    """What is drawn, as rows of (x, y): likelihood against samples, and each of them against what it costs; None is an empty place."""
    qualities, costs = ([key for key in keys if key in scales] for keys in (QUALITIES, COSTS))
    across = [*qualities[1:], *costs]
    rows = [[(x, y) if x != y else None for x in across] for y in qualities]
    return [row for row in rows if any(row)]


def front(points: Mapping[str, tuple[float, float]]) -> list[str]:
    """The variants that no other equals or beats in both values, and beats in one at least; lower is better."""
    return [
        variant
        for variant, (x, y) in points.items()
        if not any(u <= x and v <= y and (u, v) != (x, y) for u, v in points.values())
    ]


def records(results: Results, comparison: Comparison) -> list[dict[str, Any]]:
    """A row for each variant: its mean on each scale, half the width of the interval, and the panels in which it is on the front.

    What a variant has no value of is None, so that all rows have the same keys.
    """
    found = scales(results, comparison)
    drawn = [panel for row in panels(found) for panel in row if panel]
    fronts = {f"{y} by {x}": front(_means(found[x], found[y])) for x, y in drawn}
    rows = []
    for variant in comparison.variants:
        row: dict[str, Any] = {"variant": variant}
        for key in (*QUALITIES, *COSTS):
            scale = found.get(key)
            summary = scale.summaries.get(variant) if scale else None
            row |= {
                key: summary.mean if summary else None,
                f"{key}_half_width": summary.half_width if summary else None,
                f"{key}_figure": scale.figure if scale else None,
            }
        rows.append(row | {"unbeaten": [panel for panel, variants in fronts.items() if variant in variants]})
    return rows


def draw(results: Results, comparison: Comparison) -> Figure:
    """Every two scales against each other: runs as faint dots, means with their intervals as bold ones, filled on the front."""
    found = scales(results, comparison)
    rows = panels(found)
    if not rows:
        return said("No two variants of this study have figures to trade off.")
    columns = len(rows[0])
    figure = Figure(figsize=(columns * PANEL[0], len(rows) * PANEL[1] + 0.4), layout="constrained")
    places = figure.subplots(len(rows), columns, squeeze=False)
    for row, of_row in zip(places, rows, strict=True):
        for axes, panel in zip(row, of_row, strict=True):
            if panel is None:
                axes.set_axis_off()
                continue
            x, y = (found[key] for key in panel)
            _panel(axes, comparison.variants, x, y)
            axes.set_ylabel(y.label if not any(of_row[: of_row.index(panel)]) else "")
    shown = [variant for variant in comparison.variants if any(variant in scale.summaries for scale in found.values())]
    handles = _key(comparison.variants, shown, any(scale.bounds for scale in found.values()))
    empty = [axes for axes in places.flat if not axes.axison]
    if empty:
        empty[0].legend(handles=handles, loc="center", frameon=False)
    else:
        figure.legend(handles=handles, loc="outside upper center", ncols=min(len(handles), 4), frameon=False)
    return figure


def _of_figure(comparison: Comparison, name: str | None) -> Scale | None:
    """A figure as a scale; of one whose variants were measured in unlike ways, those of the most common way."""
    if name is None or name not in comparison.metrics:
        return None
    figure = max(comparison.metrics[name].alike().values(), key=lambda part: len(part.summaries))
    unit = catalogue().metric(name).unit
    label = f"{name} ({unit})" if unit else name
    return Scale(name, label, figure.summaries, frozenset(figure.upper_bounds))


def _of_training(results: Results) -> Scale:
    """Seconds of training, of the runs of which they were noted."""
    seconds = {
        variant: {run.seed: run.seconds["train"] for run in results.of(variant) if "train" in run.seconds}
        for variant in results.study.variants
    }
    summaries = {variant: summarise(by_seed) for variant, by_seed in seconds.items() if by_seed}
    return Scale("seconds", "seconds of training", summaries, frozenset())


def _means(x: Scale, y: Scale) -> dict[str, tuple[float, float]]:
    """The variants that have both values."""
    return {
        variant: (x.summaries[variant].mean, y.summaries[variant].mean)
        for variant in x.summaries
        if variant in y.summaries
    }


def _panel(axes: Axes, variants: list[str], x: Scale, y: Scale) -> None:
    means = _means(x, y)
    best = sorted(means[variant] for variant in front(means))
    ink = matplotlib.rcParams["text.color"]
    axes.step(*zip(*best, strict=True), where="post", color=ink, linewidth=0.8, alpha=0.5, zorder=1)
    for variant, colour in colours(variants).items():
        if variant not in means:
            continue
        across, up = x.summaries[variant], y.summaries[variant]
        seeds = [seed for seed in across.values if seed in up.values]
        marker = _marker(variants, variant)
        dots = [across.values[seed] for seed in seeds], [up.values[seed] for seed in seeds]
        axes.plot(*dots, marker, color=colour, markersize=3, markeredgewidth=0, alpha=0.4, zorder=2)
        axes.errorbar(
            *means[variant],
            xerr=across.half_width or None,
            yerr=up.half_width or None,
            fmt=BOUND if variant in x.bounds | y.bounds else marker,
            color=colour,
            markersize=7,
            markeredgewidth=1.6,
            markerfacecolor=colour if means[variant] in best else "none",
            elinewidth=1,
            zorder=3,
        )
    axes.set_xlabel(x.label)
    if _is_wide(y):
        axes.set_yscale("log")
    if _is_wide(x):
        axes.set_xscale("log")
    else:
        axes.xaxis.set_major_locator(MaxNLocator(5))
    if x.figure == "parameters":
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))


def _is_wide(scale: Scale) -> bool:
    values = [summary.mean for summary in scale.summaries.values()]
    return 0 < min(values) < max(values) / WIDE


def _marker(variants: list[str], variant: str) -> str:
    return MARKERS[variants.index(variant) // len(COLOURS) % len(MARKERS)]


def _key(variants: list[str], shown: list[str], bounds: bool) -> list[Line2D]:
    ink = matplotlib.rcParams["text.color"]
    of_variants = [
        Line2D([], [], linestyle="", marker=_marker(variants, variant), color=colours(variants)[variant], label=variant)
        for variant in shown
    ]
    signs = {"on the Pareto front": ("o", ink), "beaten by another": ("o", "none")}
    if bounds:
        signs["upper bound"] = (BOUND, ink)
    return of_variants + [
        Line2D([], [], linestyle="", marker=marker, color=ink, markerfacecolor=fill, label=label)
        for label, (marker, fill) in signs.items()
    ]
