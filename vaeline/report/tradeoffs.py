"""Trade-offs: what the likelihood and the samples of a variant cost, and which variants are on the Pareto front (Pareto, 1896)."""

from collections.abc import Mapping
from typing import NamedTuple

from vaeline.evaluation.catalogue import catalogue
from vaeline.report import claims
from vaeline.report.compare import summarise
from vaeline.report.comparison import Comparison, Summary
from vaeline.report.estimates import RunValue
from vaeline.report.findings import Findings
from vaeline.report.results import Results
from vaeline.report.words import title

QUALITIES, COSTS = ("likelihood", "samples"), ("parameters", "seconds")

Value = str | float | list[str] | None


class Scale(NamedTuple):
    """A metric or cost in which variants are compared; lower is better in all."""

    metric: str  # its name among the study's metrics, or `seconds`
    label: str
    summaries: Mapping[str, Summary]  # by variant
    bounds: frozenset[str]  # variants whose value is an upper bound


def scales(findings: Findings) -> dict[str, Scale]:
    """The scales on which at least two variants have a value: of `likelihood`, `samples`, `parameters` and `seconds`."""
    comparison = findings.comparison
    found = {
        "likelihood": _metric_scale(comparison, claims.chosen(claims.LIKELIHOOD, comparison.metrics)),
        "samples": _metric_scale(comparison, claims.chosen(claims.SAMPLES, comparison.metrics)),
        "parameters": _metric_scale(comparison, "parameters"),
        "seconds": _seconds_scale(findings.results),
    }
    return {key: scale for key, scale in found.items() if scale and len(scale.summaries) > 1}


def panels(scales: Mapping[str, Scale]) -> list[list[tuple[str, str] | None]]:
    """The pairs of scales that are drawn: likelihood against samples, and each of them against each cost.

    Returns:
        Rows of (x, y); None leaves a place empty.
    """
    qualities, costs = ([key for key in keys if key in scales] for keys in (QUALITIES, COSTS))
    across = [*qualities[1:], *costs]
    rows = [[(x, y) if x != y else None for x in across] for y in qualities]
    return [row for row in rows if any(row)]


def means(x: Scale, y: Scale) -> dict[str, tuple[float, float]]:
    """The means of the variants that have both values."""
    both = [variant for variant in x.summaries if variant in y.summaries]
    return {variant: (x.summaries[variant].mean, y.summaries[variant].mean) for variant in both}


def front(points: Mapping[str, tuple[float, float]]) -> list[str]:
    """The variants on the Pareto front: no other variant is as good in both values and better in one. Lower is better."""
    return [
        variant
        for variant, (x, y) in points.items()
        if not any(u <= x and v <= y and (u, v) != (x, y) for u, v in points.values())
    ]


def records(findings: Findings) -> list[dict[str, Value]]:
    """The content of pareto.json: a row for each variant.

    A row has the mean on each scale, half the width of its interval, the name of the metric, and the panels in which the
    variant is on the front. All rows have the same keys; a value that a variant lacks is None.
    """
    found = scales(findings)
    drawn = [panel for row in panels(found) for panel in row if panel]
    fronts = {f"{y} by {x}": front(means(found[x], found[y])) for x, y in drawn}
    return [_record(found, fronts, variant) for variant in findings.comparison.variants]


def _record(found: Mapping[str, Scale], fronts: Mapping[str, list[str]], variant: str) -> dict[str, Value]:
    row: dict[str, Value] = {"variant": variant}
    for key in (*QUALITIES, *COSTS):
        scale = found.get(key)
        summary = scale.summaries.get(variant) if scale else None
        row |= {
            key: summary.mean if summary else None,
            f"{key}_half_width": summary.half_width if summary else None,
            f"{key}_metric": scale.metric if scale else None,
        }
    return row | {"unbeaten": [panel for panel, variants in fronts.items() if variant in variants]}


def _metric_scale(comparison: Comparison, name: str | None) -> Scale | None:
    """A metric as a scale. If variants were measured in different ways, only those of the most common way are kept."""
    if name is None or name not in comparison.metrics:
        return None
    results = max(comparison.metrics[name].alike().values(), key=lambda part: len(part.summaries))
    metric = catalogue().metric(name)
    label = f"{title(metric, name)} ({metric.unit})" if metric.unit else title(metric, name)
    summaries = {variant: results.summaries[variant] for variant in results.ranked}
    return Scale(name, label, summaries, frozenset(results.upper_bounds))


def _seconds_scale(results: Results) -> Scale:
    """Seconds of training, of the runs that noted them."""
    seconds = {
        variant: {run.seed: RunValue(run.seconds["train"]) for run in results.of(variant) if "train" in run.seconds}
        for variant in results.study.variants
    }
    summaries = {variant: summarise(by_seed) for variant, by_seed in seconds.items() if by_seed}
    return Scale("seconds", "Seconds of training", summaries, frozenset())
