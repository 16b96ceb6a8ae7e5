"""The results of all benchmarks: a line for the terminal, docs/performance.md, and its plots.

`python -m benchmarks.page` writes the page again from the results in benchmarks/measured.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

import click
import matplotlib
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from benchmarks import processors
from benchmarks.curves import CurveResult, fit_line
from benchmarks.race import MEASURED, ROOT, RaceResult
from benchmarks.rows import ROWS, Row
from vaeline.report.estimates import Estimate, RunValue, estimate_of
from vaeline.report.paired_differences import paired_difference

if TYPE_CHECKING:
    from matplotlib.figure import Figure

matplotlib.use("Agg")
PAGE = ROOT / "docs/performance.md"
RACES_PLOT, CURVES_PLOT = ROOT / "docs/images/performance.svg", ROOT / "docs/images/curves.svg"
COLOURS, LINE_COLOUR = ("#4477aa", "#ccbb44", "#228833", "#aa3377"), "#bbbbbb"
PLOTS_PER_ROW = 4

Line = tuple[float, float, float]  # intercept, slope and largest relative error; see `fit_line`
# study -> metric -> variant -> precision -> seed -> value
Precisions = Mapping[str, Mapping[str, Mapping[str, Mapping[str, Mapping[str, float]]]]]


Races = list[tuple[Row, RaceResult]]


class PrecisionRow(NamedTuple):
    """A row of the table that compares fp32 with bf16."""

    study: str
    metric: str
    variant: str
    shown: list[str]  # fp32, bf16, and their difference
    same: bool  # whether the interval of the difference holds 0


def summarize(row: Row, result: RaceResult, kind: str) -> str:
    """Describe a race on a kind of processor in one line: both rates, their ratio with its smallest and largest turn, and the gate."""
    low, high = result["spread"]
    gate = row.gate_on(kind)
    verdict = "ok" if result["ratio"] >= gate else "UNDER ITS GATE"
    return (
        f"{row.name:17} {_rate(result['baseline'], row)} -> {_rate(result['ours'], row)}: {result['ratio']:.2f}x "
        f"({low:.2f} to {high:.2f}), gate {_gate(gate)}, aim {row.aim:.2f}: {verdict}"
    )


def write(rows: Sequence[Row], measured: Path) -> None:
    """Write the page and its plots.

    Args:
        rows: all races.
        measured: folder with the results of the races on each kind of processor, and those of `benchmarks.curves`, `study`, `many_stages`, `roofline`, `likelihoods` and `precision`.
    """
    races = {kind: _of_kind(rows, _read(path)) for kind, path in processors.measured(measured).items()}
    curves = _read(measured / "curves.json")
    lines = {name: fit_line(curve["points"]) for name, curve in curves.items()}
    _plot_races(rows, races)
    if curves:
        _plot_curves(curves, lines)
    content = _template().render(
        races=races,
        curves=curves,
        lines=lines,
        study=_read(measured / "study.json"),
        many_stages=_read(measured / "many_stages.json"),
        rooflines=_read(measured / "roofline.json"),
        likelihoods=_read(measured / "likelihoods.json"),
        precisions=_compare_precisions(_read(measured / "precision.json")),
    )
    PAGE.write_text(content, encoding="utf-8")


def _of_kind(rows: Sequence[Row], results: Mapping[str, RaceResult]) -> Races:
    return [(row, results[row.name]) for row in rows if row.name in results]


def _template() -> Template:
    loader = FileSystemLoader(ROOT / "benchmarks")
    environment = Environment(loader=loader, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.globals |= {
        "rate": _rate,
        "shown_gate": _gate,
        "in_words": processors.in_words,
        "gap": lambda gap: "-" if gap is None else f"{gap:.3f}",
        "megabytes": lambda peak: f"{peak / 2**20:,.0f}",
    }
    return environment.get_template("performance.md.j2")


def _read(path: Path) -> Any:
    return json.loads(path.read_text()) if path.exists() else {}


def _compare_precisions(precisions: Precisions) -> list[PrecisionRow]:
    """Compare fp32 with bf16 for each study, metric and variant, with differences paired over seeds."""
    return [
        _precision_row(study, metric, variant, values)
        for study, metrics in precisions.items()
        for metric, variants in metrics.items()
        for variant, values in variants.items()
    ]


def _precision_row(study: str, metric: str, variant: str, values: Mapping[str, Mapping[str, float]]) -> PrecisionRow:
    fp32, bf16 = ({int(seed): RunValue(value) for seed, value in values[key].items()} for key in ("32", "bf16"))
    pair = paired_difference("bf16", "fp32", {"bf16": bf16, "fp32": fp32})
    same = bool(pair.half_width) and not pair.significant
    estimates = (estimate_of(list(fp32.values())), estimate_of(list(bf16.values())), pair.estimate)
    return PrecisionRow(study, metric, variant, [*map(_format_estimate, estimates)], same)


def _format_estimate(found: Estimate) -> str:
    half_width = found.half_width()
    return f"{found.mean:.3f}" + ("" if half_width is None else f" ± {half_width:.3f}")


def _rate(turns: Sequence[float], row: Row) -> str:
    """The median rate of a side, with three digits or so."""
    middle = median(turns)
    return f"{middle:,.{0 if middle >= 100 else 1 if middle >= 10 else 2}f} {row.unit}/s"


def _gate(gate: float) -> str:
    return f"{gate:.2f}" if gate else "none"


def _plot_races(rows: Sequence[Row], races: Mapping[str, Races]) -> None:
    """Plot each ratio as a bar for each kind of processor on a logarithmic axis, with a thin line for the turns and a thick tick for the gate."""
    from matplotlib import pyplot as plt

    raced = {row.name for of_kind in races.values() for row, _ in of_kind}
    names = [row.name for row in rows if row.name in raced]
    figure, axes = plt.subplots(figsize=(7, 0.5 * len(names) + 1.2), layout="constrained")
    height = 0.8 / max(len(races), 1)
    for number, (kind, of_kind) in enumerate(races.items()):
        for row, result in of_kind:
            place = names.index(row.name) - 0.4 + height * (number + 0.5)
            axes.barh(place, result["ratio"] - 1, height, left=1, color=COLOURS[number % len(COLOURS)])
            axes.plot(result["spread"], [place, place], color="black", linewidth=1)
            gate = row.gate_on(kind)
            if gate:
                axes.plot([gate, gate], [place - height / 2, place + height / 2], color="black", linewidth=2)
        axes.barh(0, 0, left=1, color=COLOURS[number % len(COLOURS)], label=processors.in_words(kind))
    axes.set_xscale("log")
    ticks = [1 / 16, 1 / 8, 1 / 4, 0.5, 1, 2, 4, 8, 16, 32]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks], minor=False)
    axes.minorticks_off()
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.legend(frameon=False)
    axes.set_xlabel("times as fast as the baseline; thick: gate; thin: slowest to fastest turn")
    axes.spines[["top", "right"]].set_visible(False)
    _save(figure, RACES_PLOT)


def _plot_curves(curves: Mapping[str, CurveResult], lines: Mapping[str, Line]) -> None:
    """Plot the points of each curve and their line, one small plot for each curve, with axes that start at 0."""
    from matplotlib import pyplot as plt

    down = -(-len(curves) // PLOTS_PER_ROW)
    size = (2.6 * PLOTS_PER_ROW, 2.2 * down)
    figure, grid = plt.subplots(down, PLOTS_PER_ROW, figsize=size, layout="constrained", squeeze=False)
    for axes in grid.flat[len(curves) :]:
        axes.set_visible(False)
    for axes, (name, curve) in zip(grid.flat, curves.items(), strict=False):
        x, y = [point["value"] for point in curve["points"]], [point["seconds"] for point in curve["points"]]
        intercept, slope, _ = lines[name]
        axes.plot([0, max(x)], [intercept, intercept + slope * max(x)], color=LINE_COLOUR)
        axes.plot(x, y, "o", color=COLOURS[0], markersize=4)
        axes.set(title=name, xlabel=curve["axis"], ylabel="s", xlim=(0, None), ylim=(0, None))
        axes.title.set_size(9)
        axes.spines[["top", "right"]].set_visible(False)
    _save(figure, CURVES_PLOT)


def _save(figure: "Figure", path: Path) -> None:
    """Write a plot, the same bytes each time."""
    from matplotlib import pyplot as plt

    with matplotlib.rc_context({"svg.hashsalt": "vaeline"}):
        figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


@click.command()
def main() -> None:
    """Write docs/performance.md and its plots again, from the results in benchmarks/measured."""
    write(ROWS, MEASURED)


if __name__ == "__main__":
    main()
