"""How the cost of a stage grows with one size: seconds and peak memory at several sizes, and a straight line through them.

`python -m benchmarks.curves [NAME...]` measures all curves, or the named ones, and writes benchmarks/measured/curves.json.
"""

import json
import sys
from dataclasses import dataclass
from statistics import median
from typing import TypedDict

import numpy as np

from benchmarks.race import MEASURED, OUR_PYTHON, Side, SideProcess

RESULTS = MEASURED / "curves.json"
TURNS = 3


@dataclass(frozen=True)
class Curve:
    """A function of `benchmarks/sides/ours_curves.py` that takes one size, and the sizes to measure."""

    name: str
    function: str
    axis: str  # name of the size
    values: tuple[int, ...]


class Point(TypedDict):
    """Cost of a stage at one size."""

    value: int
    seconds: float
    peak_bytes: int


class CurveResult(TypedDict):
    """A measured curve."""

    axis: str
    points: list[Point]


CURVES = [
    Curve("preprocess", "preprocess", "images", (1000, 2000, 4000, 8000)),
    Curve("train", "train_images", "images", (4000, 8000, 16_000, 32_000)),
    Curve("train, by latent size", "train_latent", "latent size", (16, 64, 256, 1024)),
    Curve("sample", "sample", "images drawn", (2000, 4000, 8000, 16_000)),
    Curve("likelihood, by images", "likelihood_images", "images", (50, 100, 200, 400)),
    Curve("likelihood, by samples", "likelihood_samples", "importance samples K", (100, 400, 1600, 6400)),
    Curve("Fréchet, by images", "moments", "images", (5000, 10_000, 20_000, 40_000)),
    Curve("a dry run", "plan", "variants", (3, 10, 30, 100)),
]


def measure(curve: Curve) -> list[Point]:
    """Measure the median seconds of some turns, and the peak memory, at each size."""
    points: list[Point] = []
    for value in curve.values:
        side = Side(OUR_PYTHON, "ours_curves", curve.function, (str(value),))
        with SideProcess(side, threads=1) as process:
            process.work()  # warm-up
            seconds = median(1 / process.work() for _ in range(TURNS))
            points.append({"value": value, "seconds": seconds, "peak_bytes": process.peak})
        print(f"{curve.name}: {value:,} {curve.axis} in {seconds:.2f} s, {process.peak / 2**20:,.0f} MB", flush=True)
    return points


def fit_line(points: list[Point]) -> tuple[float, float, float]:
    """Fit the straight line with the least squared relative error.

    Returns:
        Intercept in seconds, slope in seconds per unit of size, and the largest relative error of a point.
    """
    x = np.array([point["value"] for point in points], float)
    y = np.array([point["seconds"] for point in points], float)
    design = np.stack([1 / y, x / y], 1)
    (intercept, slope), *_ = np.linalg.lstsq(design, np.ones_like(y), rcond=None)
    return float(intercept), float(slope), float(np.abs((intercept + slope * x) / y - 1).max())


def main() -> None:
    """Measure the curves named on the command line, or all curves."""
    results: dict[str, CurveResult] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for curve in CURVES:
        if not sys.argv[1:] or curve.name in sys.argv[1:]:
            results[curve.name] = {"axis": curve.axis, "points": measure(curve)}
            RESULTS.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
