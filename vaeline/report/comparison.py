"""What a study found: every metric over the seeds, and variants compared two by two on the seeds they share.

A comparison is written as comparison.json and read back from it, so that a table is printed without the runs.
"""

import json
from collections import Counter
from math import hypot, sqrt
from pathlib import Path
from statistics import fmean
from typing import Any

from pydantic import model_validator

from vaeline.evaluation.catalogue import catalogue
from vaeline.evaluation.record import Record
from vaeline.metrics._entry import Metric, Past, Reference
from vaeline.report.paired_differences import Pair
from vaeline.study.parts import Entry
from vaeline.system.errors import missing, reading_ours
from vaeline.system.sealed_files import read_sealed, write_sealed

TWO_SIDED = 1.96  # standard errors from the middle to either end of a 95% interval


class Summary(Entry):
    """A metric of one variant over its seeds."""

    mean: float
    half_width: float | None  # of the 95% interval; None for a single seed
    values: dict[int, float]  # seed -> value
    over: list[str]  # what the interval ranges over: new "seeds", "images", "classifiers"; none for a single seed


class VerdictInWords(Entry):
    """What a metric says of a variant, in words that stand for its mean."""

    words: str
    evidence: str  # the numbers behind it


class MetricResults(Entry):
    """One metric of all variants."""

    summaries: dict[str, Summary]
    dashes: dict[str, str]  # variant -> why it has no such metric
    upper_bounds: dict[str, str]  # variant -> why its value is only an upper bound
    saturated: list[str]  # variants whose posteriors hardly overlap, so that the value says little
    warnings: dict[str, str]  # variant -> what to know of its value
    descriptive: dict[str, str]  # variant -> why its value ranks nothing, although the metric ranks others
    verdicts: dict[str, VerdictInWords]  # variant -> what its value says in words, if the metric is a verdict
    measures: dict[
        str, str
    ]  # variant -> what the value is, if the variants' values differ in that: `density of pixels`, ...
    # Of variants that share a seed and whose measures are the same, not of those that it only describes: see `kept_pairs`.
    pairs: list[Pair]

    @property
    def mixed(self) -> bool:
        """Whether variants have different measures, such as a probability and a density, which are not compared."""
        return len(set(self.measures.values())) > 1

    def alike(self) -> "dict[str, MetricResults]":
        """The results by measure; variants of other measures are dashes. Results of one measure are returned as they are."""
        if not self.mixed:
            return {"": self}
        return {measure: self._only(measure) for measure in dict.fromkeys(self.measures.values())}

    def _only(self, measure: str) -> "MetricResults":
        kept = {variant for variant, of in self.measures.items() if of == measure}
        others = {
            variant: f"{of}: not comparable with the other variants"
            for variant, of in self.measures.items()
            if of != measure
        }
        return MetricResults(
            summaries={variant: each for variant, each in self.summaries.items() if variant in kept},
            dashes=self.dashes | others,
            upper_bounds={variant: why for variant, why in self.upper_bounds.items() if variant in kept},
            saturated=[variant for variant in self.saturated if variant in kept],
            warnings={variant: each for variant, each in self.warnings.items() if variant in kept},
            descriptive={variant: why for variant, why in self.descriptive.items() if variant in kept},
            verdicts={variant: each for variant, each in self.verdicts.items() if variant in kept},
            measures=dict.fromkeys(kept, measure),
            pairs=[pair for pair in self.pairs if pair.first in kept],
        )

    @property
    def over(self) -> list[str]:
        """What all intervals of the metric range over; none if there is no interval."""
        intervals: list[Summary | Pair] = [*self.summaries.values(), *self.pairs]
        found = [each.over for each in intervals if each.half_width is not None]
        return [each for each in (found[0] if found else []) if all(each in over for over in found)]

    @property
    def comparable(self) -> int:
        """How many variants have the metric and are compared in it."""
        return max(Counter(self.measures.get(variant) for variant in self.ranked).values(), default=0)

    @property
    def ranked(self) -> list[str]:
        """The variants that have the metric, without those that it only describes."""
        return [variant for variant in self.summaries if variant not in self.descriptive]

    @property
    def claimed(self) -> "MetricResults":
        """The results with those comparisons alone that the study claims."""
        return self.model_copy(update={"pairs": [pair for pair in self.pairs if pair.claimed]})

    def pair(self, first: str, second: str) -> Pair | None:
        """The comparison of two variants in the order asked for; None if they are not compared."""
        for pair in self.pairs:
            if {pair.first, pair.second} == {first, second}:
                return pair if pair.first == first else pair.turned()
        return None

    def decided(self, pair: Pair, metric: Metric) -> bool:
        """Whether the comparison can decide: it has an interval, and the worse value is not an upper bound."""
        worse = pair.second if metric.sign * pair.difference < 0 else pair.first
        return bool(pair.half_width) and worse not in self.upper_bounds

    def ranking(self, metric: Metric) -> list[str]:
        """The variants that the metric ranks, best mean first, equal ones by name."""
        return sorted(self.ranked, key=lambda variant: (metric.sign * self.summaries[variant].mean, variant))


class PublishedComparison(Entry):
    """A published value next to ours."""

    metric: str
    variant: str
    value: float
    error: float | None
    source: str
    ours: Summary | None  # None if the study has no such metric of that variant
    upper_bound: str  # why ours is only an upper bound; empty if it is not
    unlike: list[str]  # what is defined otherwise; then the two are not compared

    @property
    def difference(self) -> float | None:
        """Ours minus the published value; None if they are not compared."""
        return None if self.ours is None or self.unlike or self.upper_bound else self.ours.mean - self.value


class ReferenceValue(Entry):
    """A number of the data set that gives metrics their scale."""

    value: float
    standard_error: float | None  # over images; that of values without one of their own is from halves of the images
    spread: (
        float | None
    )  # of a mean over subsets of real images: the standard deviation over subsets that share no image

    @classmethod
    def of(cls, record: Record, name: str) -> "ReferenceValue":
        """The number in the record of the data set.

        Raises:
            KeyError: the record has no such number.
        """
        made, error = record.evaluation[name], record.metrics.get(f"{name}_standard_error")
        if error is None and made.get("halves"):
            error = sqrt(fmean(each**2 for each in made["halves"]))
        return cls(value=made["value"], standard_error=error, spread=made.get("spread"))

    @property
    def half_width(self) -> float:
        """Half the width of the 95% interval of one such set of images; 0 if nothing is known of it."""
        error = self.standard_error if self.spread is None else self.spread
        return TWO_SIDED * (error or 0.0)


class Comparison(Entry):
    """All metrics of a study."""

    study: str
    variants: list[str]
    seeds: list[int]
    missing: list[str]  # "cvae seed 3: not trained"
    metrics: dict[str, MetricResults]
    primary: list[str]  # the metrics that decide the study; comparisons in other metrics are exploratory
    undecided: list[str]  # metrics that the study names as primary, and in which no two variants can be compared
    baseline: str | None  # the variant that each other one is compared with; None: every two are
    looks: list[int] | None  # the numbers of seeds at which the study looks at its claims; None: it looks once
    level: float  # the share of studies in which a claim of this report is false, at most: this look's part of 5%
    references: dict[str, ReferenceValue]
    published: list[PublishedComparison]
    settings: dict[str, Any]  # of the study: dotted key -> the value that the runs were made with
    weights: dict[str, dict[int, str]]  # variant -> seed -> SHA-256 of the run's model.safetensors
    evaluations: dict[str, dict[int, str]]  # variant -> seed -> SHA-256 of the values in the run's evaluation.json

    @model_validator(mode="after")
    def is_whole(self) -> "Comparison":
        """Refuse metrics and runs that leave a variant out."""
        for name, results in self.metrics.items():
            if results.summaries.keys() | results.dashes.keys() != set(self.variants):
                raise ValueError(f"{name} is not of the variants {', '.join(self.variants)}")
        if not self.weights.keys() == self.evaluations.keys() == set(self.variants):
            raise ValueError("it does not name the files of each variant's runs")
        return self

    def main_metrics(self) -> dict[str, MetricResults]:
        """The metrics of the table in the order of the catalogue, then those that no file declares."""
        known = [name for name in catalogue().metrics if name in self.metrics]
        unknown = sorted(self.metrics.keys() - catalogue().metrics.keys() - catalogue().companions.keys())
        return {name: self.metrics[name] for name in (*known, *unknown)}

    def companions(self) -> dict[str, MetricResults]:
        """The numbers that go with metrics of the table, such as their errors."""
        return {name: self.metrics[name] for name in catalogue().companions if name in self.metrics}

    def seeds_of(self, variant: str) -> list[int]:
        """The seeds of a variant's runs that are there."""
        found = {
            seed
            for results in self.metrics.values()
            if variant in results.summaries
            for seed in results.summaries[variant].values
        }
        return [seed for seed in self.seeds if seed in found]

    def means(self) -> dict[str, dict[str, float]]:
        """The study's means.json: {variant: {metric: mean over seeds}}."""
        main = self.main_metrics().items()
        return {
            variant: {name: results.summaries[variant].mean for name, results in main if variant in results.summaries}
            for variant in self.variants
        }

    def past(self, name: str, past: Past) -> dict[str, Reference]:
        """The variants whose value is past a reference of the metric: variant -> the reference.

        A value is past a reference if the interval of their difference excludes 0. A single seed has no interval, and neither have
        seeds that agree, which say nothing of other seeds.

        Args:
            name: of the metric.
            past: "better than real images" matches better values; "no better than one Gaussian" matches worse values.
        """
        metric, results = catalogue().metric(name), self.metrics[name]
        found = {}
        for reference in metric.references:
            known = self.references.get(reference.name)
            if reference.past != past or known is None:
                continue
            for variant, summary in results.summaries.items():
                if not summary.half_width:
                    continue
                better = metric.sign * (known.value - summary.mean)
                margin = hypot(summary.half_width, known.half_width)
                if (better if past == "better than real images" else -better) > margin:
                    found[variant] = reference
        return found

    def unranked(self, name: str) -> list[str]:
        """The variants whose value is better than that of real images beyond chance, and says no more than that."""
        return list(self.past(name, "better than real images"))


def write(path: Path, comparison: Comparison) -> None:
    """Write a comparison.json under its seal."""
    write_sealed(path, comparison.model_dump(mode="json"))


def read(path: Path) -> Comparison:
    """Read a comparison.json.

    Raises:
        UserError: there is none, or it is damaged, or it was edited.
    """
    again = "`snakemake --cores 4 all` makes a new one"
    if not path.exists():
        raise missing(
            path, "run the study to its end (snakemake --cores 4 all), or see the runs so far with make report"
        )
    content = read_sealed(path, again)
    with reading_ours(path, again):
        return Comparison.model_validate_json(json.dumps(content))
