"""What a stage costs as one thing grows, the others held: seconds and peak memory, and the straight line through them."""

import json
import sys
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from benchmarks.race import MEASURED, OURS, Racer, Side

FOUND = MEASURED / "curves.json"
TURNS = 3


@dataclass(frozen=True)
class Curve:
    """A function of `benchmarks/sides/ours_curves.py`, which takes one number."""

    name: str
    function: str
    axis: str
    values: tuple[int, ...]


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


def measure(curve: Curve) -> list[dict[str, float]]:
    """Seconds, the median of some turns, and peak bytes at each value."""
    points = []
    for value in curve.values:
        side = Side(OURS, "ours_curves", curve.function, (str(value),))
        with Racer(side, threads=1) as racer:
            racer.work()
            seconds = median(1 / racer.work() for _ in range(TURNS))
            points.append({"value": value, "seconds": seconds, "peak_bytes": racer.peak})
        print(f"{curve.name}: {value:,} {curve.axis} in {seconds:.2f} s, {racer.peak / 2**20:,.0f} MB", flush=True)
    return points


def line(points: list[dict[str, float]]) -> tuple[float, float, float]:
    """Intercept and slope of the line of least relative error, and the greatest relative distance of a point from it."""
    x, y = (np.array([point[key] for point in points], float) for key in ("value", "seconds"))
    design = np.stack([1 / y, x / y], 1)
    (intercept, slope), *_ = np.linalg.lstsq(design, np.ones_like(y), rcond=None)
    return float(intercept), float(slope), float(np.abs((intercept + slope * x) / y - 1).max())


def main() -> None:
    found: dict[str, Any] = json.loads(FOUND.read_text()) if FOUND.exists() else {}
    for curve in CURVES:
        if not sys.argv[1:] or curve.name in sys.argv[1:]:
            found[curve.name] = {"axis": curve.axis, "points": measure(curve)}
            FOUND.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
