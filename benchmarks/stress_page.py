"""Table and plot of the stress bench in docs/metrics.md.

`python -m benchmarks.stress_page` writes them again from benchmarks/measured/stress.json.
"""

import json
import sys
from collections.abc import Mapping
from textwrap import fill
from typing import TYPE_CHECKING, Any, NamedTuple

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from benchmarks.race import MEASURED, ROOT
from vaeline.evaluation.catalogue import catalogue
from vaeline.system.errors import UserError
from vaeline.system.plot_style import COLOURS, style

if TYPE_CHECKING:
    from benchmarks.stress import Response, Stress

matplotlib.use("Agg")
PAGE, PLOT = ROOT / "docs/metrics.md", ROOT / "docs/images/stress.svg"
BEGIN, END = "<!-- stress: written by `python -m benchmarks.stress` -->", "<!-- end of the stress bench -->"
TELLS = 0.8  # share of deals in which a dose is outside the range of real images
LOWEST, HIGHEST = -100.0, 20.0  # ends of the plot's axis, in half widths of that range
SMALLEST = 1e-9  # half width, if all real images score the same
FADED, BAND, FAINT = "#888888", 0.18, 0.4


class First(NamedTuple):
    """The smallest dose that a metric tells."""

    place: int  # of the dose, counted from 0
    dose: float
    praised: bool  # whether the metric calls the defect better than real images


def first_told(name: str, doses: list[float], response: "Response") -> First | None:
    """The smallest dose that a metric tells; None if it is blind to all."""
    better = "above" if catalogue().metric(name).sign < 0 else "below"
    for place, dose in enumerate(doses):
        for side in ("below", "above"):
            if response[side][place] >= TELLS:
                return First(place, dose, side == better)
    return None


def write(results: Mapping[str, "Stress"]) -> None:
    """Write table and plot of all data sets.

    Raises:
        UserError: the page has no place for the table.
    """
    before, begin, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise UserError(
            f"{PAGE} lacks the marks of the table; write `{BEGIN}` and, below it, `{END}` where the table should be."
        )
    PAGE.write_text(before + section(results) + after, encoding="utf-8")
    with style():
        plot(results).savefig(PLOT, metadata={"Date": None})


def section(results: Mapping[str, "Stress"]) -> str:
    """The table in Markdown between its marks: a row for each metric, a column for each defect."""
    defects = list(next(iter(results.values()))["doses"])
    made = "; ".join(
        f"{name}: {of['deals']} deals of {of['images']:,} samples and as many test images"
        for name, of in results.items()
    )
    head = ["metric", *defects]
    rows = [[f"`{name}`", *(_cell(results, defect, name) for defect in defects)] for name in _metrics(results)]
    lines = [head, ["---"] * len(head), *rows]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"{BEGIN}\n\n{table}\n\nDoses in %: {', '.join(results)} ({made}).\n\n{END}"


def _metrics(results: Mapping[str, "Stress"]) -> list[str]:
    measured = {name for of in results.values() for name in of["real"]}
    return [name for name in catalogue().metrics if name in measured]


def _cell(results: Mapping[str, "Stress"], defect: str, name: str) -> str:
    """The first doses that the metric tells, one for each data set."""
    return ", ".join(_in_words(told(of, defect, name)) for of in results.values())


def told(of: "Stress", defect: str, name: str) -> First | None:
    found = of["responses"][defect].get(name)
    return found and first_told(name, of["doses"][defect], found)


def _in_words(first: First | None) -> str:
    return "–" if first is None else f"{100 * first.dose:g}{' (+)' if first.praised else ''}"


def plot(results: Mapping[str, "Stress"]) -> Figure:
    """A small plot for each metric and defect: how far beyond real images the metric moves as the dose grows."""
    metrics, defects = _metrics(results), list(next(iter(results.values()))["doses"])
    figure = Figure(figsize=(1.02 * len(defects) + 1.6, 0.72 * len(metrics) + 1.2), layout="constrained")
    grid = figure.subplots(len(metrics), len(defects), sharex=True, sharey=True, squeeze=False)
    for row, name in zip(grid, metrics, strict=True):
        for axes, defect in zip(row, defects, strict=True):
            for colour, of in zip(COLOURS, results.values(), strict=False):
                _draw(axes, of, defect, name, colour)
            _dress(axes)
        row[0].set_ylabel(name, rotation=0, ha="right", va="center")
    for axes, defect in zip(grid[0], defects, strict=True):
        axes.set_title(fill(defect, 12), size=9)
    figure.legend(handles=_key(results), loc="outside lower center", ncols=len(results) + 3, frameon=False)
    return figure


def _key(results: Mapping[str, "Stress"]) -> list[Artist]:
    lines = [Line2D([], [], color=colour, label=name) for colour, name in zip(COLOURS, results, strict=False)]
    dot = Line2D([], [], color=FADED, marker="o", linestyle="", markersize=4, label="first dose that is told")
    faint = Line2D([], [], color=COLOURS[0], alpha=FAINT, label="pale: none is told")
    return [*lines, dot, faint, Patch(color=FADED, alpha=BAND, linewidth=0, label="real images; worse is below")]


def _draw(axes: Axes, of: "Stress", defect: str, name: str, colour: str) -> None:
    """Draw the medians in half widths of the range of real images, better ones above; the first point is of no dose."""
    response = of["responses"][defect].get(name)
    if response is None:
        return
    low, middle, high = of["real"][name]
    medians = np.array([middle, *response["median"]])
    heights = (-catalogue().metric(name).sign * (medians - middle) / max((high - low) / 2, SMALLEST)).clip(
        LOWEST, HIGHEST
    )
    first = told(of, defect, name)
    axes.plot(heights, color=colour, linewidth=1.4, alpha=1 if first else FAINT)
    if first:
        axes.plot(first.place + 1, heights[first.place + 1], "o", color=colour, markersize=4, clip_on=False)


def _dress(axes: Axes) -> None:
    axes.axhspan(-1, 1, color=FADED, alpha=BAND, linewidth=0)
    axes.set_yscale("symlog", linthresh=1, linscale=0.7)
    axes.set(ylim=(1.3 * LOWEST, HIGHEST), xticks=[], yticks=[])
    axes.minorticks_off()
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.grid(False)


def _read() -> Any:
    return json.loads((MEASURED / "stress.json").read_text())


if __name__ == "__main__":
    try:
        write(_read())
    except UserError as error:
        sys.exit(str(error))
