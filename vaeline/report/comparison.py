"""What a study found: every figure over the seeds, and every two variants compared on the seeds they share.

A comparison is written as comparison.json and read back from it, so that a table is printed without the runs.
"""

from collections import Counter
from pathlib import Path

from pydantic import ValidationError, model_validator

from vaeline.report.headlines import BESIDE, HEADLINES, Headline
from vaeline.study.parts import Entry
from vaeline.system.errors import UserError

# What two figures of one name must have in common to stand in one column, beside the name.
DEFINING = (
    "definition", "measure", "estimator", "split", "split_sha256", "images", "of", "samples", "features", "weights", "judge", "seed",
    "fitted_to", "told", "likelihood",
)  # fmt: skip


class Summary(Entry):
    """A figure of one variant over its seeds."""

    mean: float
    half_width: float | None  # of the 95% t-interval; None for a single seed
    values: dict[int, float]  # seed -> value


class Pair(Entry):
    """The difference of two variants over the seeds they share, first minus second."""

    first: str
    second: str
    difference: float
    half_width: float | None
    seeds: int  # shared
    won: int  # seeds on which first is better; on a tie neither is
    lost: int

    @property
    def apart(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.half_width is not None and abs(self.difference) > self.half_width

    def turned(self) -> "Pair":
        """The same comparison, second minus first."""
        swapped = {"first": self.second, "second": self.first, "won": self.lost, "lost": self.won}
        return self.model_copy(update={**swapped, "difference": -self.difference})


class MetricResults(Entry):
    """One figure of all variants."""

    summaries: dict[str, Summary]
    dashes: dict[str, str]  # variant -> why it has no such figure
    bounds: dict[str, str]  # variant -> why its figure is an upper bound only
    saturated: list[str]  # variants whose posteriors hardly overlap, of which the figure says little
    warnings: dict[str, str]  # variant -> what to know of its figure
    measures: dict[str, str]  # variant -> what it is a likelihood of, where it is one: `density of pixels`, ...
    pairs: list[Pair]  # of variants that share a seed, and whose measures are the same

    @property
    def mixed(self) -> bool:
        """Whether its variants have unlike measures, a probability and a density, say, which do not compare."""
        return len(set(self.measures.values())) > 1

    def alike(self) -> "dict[str, MetricResults]":
        """The figure itself, or where it is mixed a part for each measure, in which the other variants are dashes."""
        if not self.mixed:
            return {"": self}
        return {measure: self._only(measure) for measure in dict.fromkeys(self.measures.values())}

    def _only(self, measure: str) -> "MetricResults":
        kept = {variant for variant, of in self.measures.items() if of == measure}
        others = {
            variant: f"a {of}, which compares with its like alone"
            for variant, of in self.measures.items()
            if of != measure
        }
        return MetricResults(
            summaries={variant: each for variant, each in self.summaries.items() if variant in kept},
            dashes=self.dashes | others,
            bounds={variant: why for variant, why in self.bounds.items() if variant in kept},
            saturated=[variant for variant in self.saturated if variant in kept],
            warnings={variant: each for variant, each in self.warnings.items() if variant in kept},
            measures=dict.fromkeys(kept, measure),
            pairs=[pair for pair in self.pairs if pair.first in kept],
        )

    @property
    def comparable(self) -> int:
        """How many variants have it and compare in it."""
        return max(Counter(self.measures.get(variant) for variant in self.summaries).values(), default=0)

    def pair(self, first: str, second: str) -> Pair | None:
        """The comparison of two variants in the order asked for; None where they are not compared."""
        for pair in self.pairs:
            if {pair.first, pair.second} == {first, second}:
                return pair if pair.first == first else pair.turned()
        return None

    def decided(self, pair: Pair, headline: Headline) -> bool:
        """Whether an interval can tell which of two is better: there is one, and the worse is not a bound that more samples would lower."""
        worse = pair.second if headline.sign * pair.difference < 0 else pair.first
        return pair.half_width is not None and worse not in self.bounds

    def ranking(self, headline: Headline) -> list[str]:
        """The variants that have this figure, best mean first, equal ones by name."""
        return sorted(self.summaries, key=lambda variant: (headline.sign * self.summaries[variant].mean, variant))


class PublishedComparison(Entry):
    """A published figure beside ours."""

    metric: str
    variant: str
    value: float
    error: float | None
    source: str
    ours: Summary | None  # None where the study has no such figure of that variant
    bound: str  # why ours is an upper bound only; empty where it is not
    unlike: list[str]  # what is defined otherwise; then the two are not compared

    @property
    def difference(self) -> float | None:
        """Ours minus the published one; None where they are not compared."""
        return None if self.ours is None or self.unlike or self.bound else self.ours.mean - self.value


class Comparison(Entry):
    """All figures of a study."""

    study: str
    variants: list[str]
    seeds: list[int]
    missing: list[str]  # "cvae seed 3: not trained"
    metrics: dict[str, MetricResults]
    published: list[PublishedComparison]

    @model_validator(mode="after")
    def is_whole(self) -> "Comparison":
        """Refuse figures that leave a variant out."""
        for name, figure in self.metrics.items():
            if figure.summaries.keys() | figure.dashes.keys() != set(self.variants):
                raise ValueError(f"{name} is not of the variants {', '.join(self.variants)}")
        return self

    def headlines(self) -> dict[str, MetricResults]:
        """The figures of the table, in its order: those known first, then others."""
        order = list(HEADLINES)
        names = sorted(
            self.metrics.keys() - self.beside().keys(),
            key=lambda name: (order.index(name) if name in order else len(order), name),
        )
        return {name: self.metrics[name] for name in names}

    def beside(self) -> dict[str, MetricResults]:
        """The figures that go with those of the table: errors, floors, ceilings and other references."""
        references = {name for headline in HEADLINES.values() for name in headline.references}
        return {
            name: figure for name, figure in sorted(self.metrics.items()) if name.endswith(BESIDE) or name in references
        }

    def seeds_of(self, variant: str) -> list[int]:
        """The seeds of a variant's runs that are there."""
        found = {
            seed
            for figure in self.metrics.values()
            if variant in figure.summaries
            for seed in figure.summaries[variant].values
        }
        return [seed for seed in self.seeds if seed in found]

    def means(self) -> dict[str, dict[str, float]]:
        """The study's metrics.json: {variant: {headline figure: mean over seeds}}."""
        headlines = self.headlines().items()
        return {
            variant: {name: figure.summaries[variant].mean for name, figure in headlines if variant in figure.summaries}
            for variant in self.variants
        }

    def past_ceiling(self, name: str) -> list[str]:
        """The variants whose figure is higher than what real images score, and says no more than that."""
        ceiling, figure = self.reference(f"{name}_ceiling"), self.metrics[name]
        return [each for each, summary in figure.summaries.items() if ceiling is not None and summary.mean > ceiling]

    def reference(self, name: str) -> float | None:
        """A figure that gives scale to others, such as a floor: its mean over all runs, None where there is not one alone."""
        figure = self.metrics.get(name)
        if figure is None or figure.mixed:
            return None
        values = [value for summary in figure.summaries.values() for value in summary.values.values()]
        return sum(values) / len(values) if values else None


def read(path: Path) -> Comparison:
    """Read a comparison.json.

    Raises:
        UserError: there is none, or it is damaged.
    """
    try:
        return Comparison.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(
            f"There is no {path}; run the study to its end (snakemake --cores 4 all), "
            "or see what there is with make report."
        ) from error
    except (ValueError, ValidationError) as error:
        raise UserError(f"{path} is damaged; delete it and run the study again, which makes it anew.") from error


def summarise(values: dict[int, float]) -> Summary:
    """The mean of values by seed, with its interval."""
    # Not above: it loads scipy, which a table printed from comparison.json does without.
    from vaeline.report.intervals import interval

    found = interval(list(values.values()))
    return Summary(mean=found.mean, half_width=found.half_width, values=values)
