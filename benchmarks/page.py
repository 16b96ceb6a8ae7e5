"""The table of races, for the terminal and for docs/performance.md, and its plot."""

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import matplotlib
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from benchmarks.curves import line as line_through
from benchmarks.race import ROOT
from benchmarks.rows import Row
from vaeline.report.intervals import Interval, interval
from vaeline.report.paired_differences import paired_difference

matplotlib.use("Agg")
PAGE = ROOT / "docs/performance.md"
PLOT, CURVES = ROOT / "docs/images/performance.svg", ROOT / "docs/images/curves.svg"


def line(row: Row, found: dict[str, Any]) -> str:
    """One race in a line: both rates, their ratio with its least and greatest turn, the gate."""
    low, high = found["spread"]
    verdict = "ok" if found["ratio"] >= row.gate else "UNDER ITS GATE"
    return (
        f"{row.name:17} {_rate(found['baseline'], row)} -> {_rate(found['ours'], row)}: {found['ratio']:.2f}x "
        f"({low:.2f} to {high:.2f}), gate {row.gate:.2f}, aim {row.aim:.2f}: {verdict}"
    )


def write(rows: Sequence[Row], found: dict[str, Any], measured: Path) -> None:
    """Write the page and its plots.

    Args:
        rows: all races.
        found: what came of those that were run, by name.
        measured: the folder of what `benchmarks.curves`, `study`, `roofline` and `precision` have found.
    """
    there = [(row, found[row.name]) for row in rows if row.name in found]
    curves, study, rooflines, precisions = (
        _read(measured / f"{name}.json") for name in ("curves", "study", "roofline", "precision")
    )
    _plot(there)
    lines = {name: line_through(curve["points"]) for name, curve in curves.items()}
    if curves:
        _plot_curves(curves, lines)
    loader = FileSystemLoader(ROOT / "benchmarks")
    environment = Environment(loader=loader, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.globals |= {"rate": _rate, "megabytes": lambda peak: f"{peak / 2**20:,.0f}"}
    content = environment.get_template("performance.md.j2").render(
        races=there, curves=curves, lines=lines, study=study, rooflines=rooflines, precisions=_compared(precisions)
    )
    PAGE.write_text(content, encoding="utf-8")


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return found


def _compared(precisions: dict[str, Any]) -> list[dict[str, Any]]:
    """What a table has of each study, figure and variant in 32 bits and in bf16, and whether 0 may be their difference."""
    rows = []
    for study, figures in precisions.items():
        for figure, variants in figures.items():
            for variant, values in variants.items():
                pair = paired_difference("bf16", "32", values)
                difference = Interval(pair.difference, pair.half_width, pair.seeds)
                same = difference.half_width is not None and abs(difference.mean) <= difference.half_width
                shown = (interval(list(values["32"].values())), interval(list(values["bf16"].values())), difference)
                rows.append(
                    {
                        "study": study,
                        "figure": figure,
                        "variant": variant,
                        "shown": [*map(_interval, shown)],
                        "same": same,
                    }
                )
    return rows


def _interval(found: Interval) -> str:
    return f"{found.mean:.3f}" + ("" if found.half_width is None else f" ± {found.half_width:.3f}")


def _rate(turns: Sequence[float], row: Row) -> str:
    middle = median(turns)
    return f"{middle:,.{0 if middle >= 100 else 1 if middle >= 10 else 2}f} {row.unit}/s"


def _plot(races: Sequence[tuple[Row, dict[str, Any]]]) -> None:
    """A bar a race on a logarithmic axis, its turns as a line across its end, its gate as a tick."""
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 0.4 * len(races) + 0.8), layout="constrained")
    for place, (row, found) in enumerate(races):
        axes.barh(place, found["ratio"] - 1, left=1, color="#4477aa" if found["ratio"] >= row.gate else "#cc6677")
        axes.plot(found["spread"], [place, place], color="black", linewidth=1)
        axes.plot([row.gate, row.gate], [place - 0.4, place + 0.4], color="black", linewidth=2)
    axes.set_xscale("log")
    ticks = [0.5, 1, 2, 4, 8, 16, 32]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks], minor=False)
    axes.minorticks_off()
    axes.set_yticks(range(len(races)), [row.name for row, _ in races])
    axes.invert_yaxis()
    axes.set_xlabel("times as fast as the baseline; thick: gate; thin: from the slowest to the fastest turn")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(PLOT, metadata={"Date": None})
    plt.close(figure)


def _plot_curves(curves: dict[str, Any], lines: dict[str, tuple[float, float, float]]) -> None:
    """Points and their line, a small picture for each curve, from the origin."""
    from matplotlib import pyplot as plt

    across = 4
    down = -(-len(curves) // across)
    figure, grid = plt.subplots(down, across, figsize=(2.6 * across, 2.2 * down), layout="constrained", squeeze=False)
    for axes in grid.flat[len(curves) :]:
        axes.set_visible(False)
    for axes, (name, curve) in zip(grid.flat, curves.items(), strict=False):
        x, y = ([point[key] for point in curve["points"]] for key in ("value", "seconds"))
        intercept, slope, _ = lines[name]
        axes.plot([0, max(x)], [intercept, intercept + slope * max(x)], color="#bbbbbb")
        axes.plot(x, y, "o", color="#4477aa", markersize=4)
        axes.set(title=name, xlabel=curve["axis"], ylabel="s", xlim=(0, None), ylim=(0, None))
        axes.title.set_size(9)
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(CURVES, metadata={"Date": None})
    plt.close(figure)
