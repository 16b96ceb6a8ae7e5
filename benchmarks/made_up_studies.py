"""Studies of variants that are known to be equal, as the report reads them: made up, or dealt from the seeds of one variant."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import exp, sqrt
from typing import Any, NamedTuple

import numpy as np

from vaeline.data.facts import Facts
from vaeline.metrics._parts import PARTS
from vaeline.report import claims
from vaeline.report.compare import compare
from vaeline.report.results import Results, Run
from vaeline.study.schema import StudySection

LOGARITHMIC = 0.25  # standard deviation of the logarithm of a distance over seeds, whose skewness is 0.8
LIKELIHOOD, DISTANCE = "nll", "fd_sample"
SHARES = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)  # of the variance of a mean that come from the seeds
FACTS = Facts("made_up", (1, 1, 1), 2, (0.0, 1.0), [], [])


class Setting(NamedTuple):
    """Where the variance of a made-up study lies."""

    share: float  # of the variance of a mean that comes from the seeds; the images have the rest
    unequal: bool  # whether the last variant varies five times as much as the first
    better: bool = False  # whether the first variant is better than the others, which are equal


def setting(generator: np.random.Generator, better: bool = False) -> Setting:
    """A setting at random."""
    return Setting(float(generator.choice(SHARES)), bool(generator.integers(0, 2)), better)


def study(variants: int, seeds: int, where: Setting, generator: np.random.Generator) -> Results:
    """A likelihood, which varies over seeds and images, and a distance, which is skewed and goes with the likelihood (0.7)."""
    spread = np.geomspace(1, 5, variants) if where.unequal else np.ones(variants)
    noise, other = generator.standard_normal((2, variants, seeds))
    lead = np.where(np.arange(variants) == 0, -100.0 * where.better, 0.0)[:, None]
    parts = lead[..., None] + spread[:, None, None] * over_images(noise, where.share, generator)
    both = 0.7 * noise + sqrt(1 - 0.7**2) * other
    skewed = np.exp(LOGARITHMIC * both) - exp(LOGARITHMIC**2 / 2)
    distances = 200 + lead + spread[:, None] * skewed
    return of_values({LIKELIHOOD: parts.mean(-1), DISTANCE: distances}, {LIKELIHOOD: parts})


def over_images(of_seeds: np.ndarray, share: float, generator: np.random.Generator, skewed: bool = False) -> np.ndarray:
    """Means over parts of the images, which vary over seeds and images around 0.

    Args:
        of_seeds: standard normal noise, (..., seeds).
        share: of the variance of a mean that comes from the seeds.
        generator: of all noise.
        skewed: whether the images have an exponential distribution in place of a normal one.

    Returns:
        (..., seeds, parts).
    """
    *variants, seeds = of_seeds.shape
    each = generator.standard_exponential if skewed else generator.standard_normal
    of_images = each((*variants, 1, PARTS)) - float(skewed)
    both = generator.standard_normal((*variants, seeds, PARTS))
    return sqrt(share * seeds) * of_seeds[..., None] + sqrt((1 - share) * PARTS) * (of_images + 0.5 * both)


def of_values(values: Mapping[str, np.ndarray], parts: Mapping[str, np.ndarray]) -> Results:
    """The results of runs with these metrics.

    Args:
        values: of each metric, (variants, seeds).
        parts: means over parts of the images, of some metrics, (variants, seeds, parts).
    """
    variants, seeds = next(iter(values.values())).shape
    names = [f"name_{place}" for place in range(variants)]
    runs = [
        _run(names[variant], seed, {
            name: {"value": float(of[variant, seed]), "parts": parts[name][variant, seed].tolist() if name in parts else []}
            for name, of in values.items()
        })
        for variant in range(variants)
        for seed in range(seeds)
    ]  # fmt: skip
    return Results(_section(names, seeds), runs, {})


def at_look(results: Results, seeds: int, looks: list[int] | None) -> Results:
    """The study when its first seeds have run.

    Args:
        results: of all its seeds.
        seeds: how many have run.
        looks: that it declared; None if it declared none.
    """
    runs = [run for run in results.runs if run.seed < seeds]
    return Results(_section(results.study.variants, seeds, looks), runs, {})


def dealt(runs: Sequence[Run], variants: int, seeds: int, generator: np.random.Generator) -> Results:
    """The runs of one variant, dealt at random to names, as if they were runs of as many variants."""
    names = [f"name_{place}" for place in range(variants)]
    chosen = iter(generator.permutation(len(runs))[: variants * seeds])
    metrics = (*claims.LIKELIHOOD, *claims.SAMPLES, *claims.UNBIASED.values())
    found = [
        replace(run, variant=name, seed=seed, evaluation={key: run.evaluation[key] for key in metrics if key in run.evaluation})
        for name in names
        for seed in range(seeds)
        for run in [runs[next(chosen)]]
    ]  # fmt: skip
    return Results(_section(names, seeds), found, {})


def claimed(results: Results) -> list[tuple[str, str]]:
    """The pairs of variants between which the report claims a difference, once for each metric."""
    found = compare(results)
    return [
        (pair.first, pair.second)
        for name in found.primary
        for pair in found.metrics[name].pairs
        if pair.claimed and pair.significant
    ]


def _section(names: list[str], seeds: int, looks: list[int] | None = None) -> StudySection:
    return StudySection(name="made_up", variants=names, seeds=list(range(seeds)), looks=looks)


def _run(variant: str, seed: int, evaluation: dict[str, dict[str, Any]]) -> Run:
    return Run(variant, seed, evaluation, {}, b"", b"", {}, {}, FACTS, {}, "", "")
