"""What a study found: every figure over the seeds, and every two variants compared on the seeds they share.

A comparison is written as comparison.json and read back from it, so that a table is printed without the runs.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from itertools import combinations
from pathlib import Path
from typing import Any

from pydantic import ValidationError, model_validator

from vaeline.errors import UserError
from vaeline.headlines import BESIDE, HEADLINES, OTHER, Headline
from vaeline.params import Published
from vaeline.parts import Entry
from vaeline.results import Results, Run

# What two figures of one name must have in common to stand in one column, beside the name.
DEFINING = (
    "definition", "measure", "estimator", "split", "split_sha256", "images", "of", "samples", "features", "weights", "judge", "seed",
    "fitted_to", "told", "likelihood",
)  # fmt: skip
# What a published figure must say to be held against ours, where ours says it.
TO_BE_SAID = ("samples", "images", "features")


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


class Figure(Entry):
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

    def alike(self) -> "dict[str, Figure]":
        """The figure itself, or where it is mixed a part for each measure, in which the other variants are dashes."""
        if not self.mixed:
            return {"": self}
        return {measure: self._only(measure) for measure in dict.fromkeys(self.measures.values())}

    def _only(self, measure: str) -> "Figure":
        kept = {variant for variant, of in self.measures.items() if of == measure}
        others = {
            variant: f"a {of}, which compares with its like alone"
            for variant, of in self.measures.items()
            if of != measure
        }
        return Figure(
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


class Beside(Entry):
    """A published figure beside ours."""

    figure: str
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
    figures: dict[str, Figure]
    published: list[Beside]

    @model_validator(mode="after")
    def is_whole(self) -> "Comparison":
        """Refuse figures that leave a variant out."""
        for name, figure in self.figures.items():
            if figure.summaries.keys() | figure.dashes.keys() != set(self.variants):
                raise ValueError(f"{name} is not of the variants {', '.join(self.variants)}")
        return self

    def headlines(self) -> dict[str, Figure]:
        """The figures of the table, in its order: those known first, then others."""
        order = list(HEADLINES)
        names = sorted(
            self.figures.keys() - self.beside().keys(),
            key=lambda name: (order.index(name) if name in order else len(order), name),
        )
        return {name: self.figures[name] for name in names}

    def beside(self) -> dict[str, Figure]:
        """The figures that go with those of the table: errors, floors, ceilings and other references."""
        references = {name for headline in HEADLINES.values() for name in headline.references}
        return {
            name: figure for name, figure in sorted(self.figures.items()) if name.endswith(BESIDE) or name in references
        }

    def seeds_of(self, variant: str) -> list[int]:
        """The seeds of a variant's runs that are there."""
        found = {
            seed
            for figure in self.figures.values()
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
        ceiling, figure = self.reference(f"{name}_ceiling"), self.figures[name]
        return [each for each, summary in figure.summaries.items() if ceiling is not None and summary.mean > ceiling]

    def reference(self, name: str) -> float | None:
        """A figure that gives scale to others, such as a floor: its mean over all runs, None where there is not one alone."""
        figure = self.figures.get(name)
        if figure is None or figure.mixed:
            return None
        values = [value for summary in figure.summaries.values() for value in summary.values.values()]
        return sum(values) / len(values) if values else None


def compare(results: Results) -> Comparison:
    """Summarise each figure over seeds, and compare every two variants on the seeds they share.

    Raises:
        UserError: a published figure, or how it was made, has a name that none of ours has.
    """
    names = sorted({name for run in results.runs for name in (*run.metrics, *run.evaluation)})
    missing = [f"{variant} seed {seed}: {state}" for (variant, seed), state in results.missing.items()]
    study = results.study
    _refuse_unknown(results.published, names)
    figures = {name: _figure(results, name) for name in names}
    return Comparison(
        study=study.name,
        variants=list(study.variants),
        seeds=list(study.seeds),
        missing=missing,
        figures=figures,
        published=[_beside(results, figures, each) for each in results.published.values()],
    )


def _refuse_unknown(published: Mapping[str, Published], names: Sequence[str]) -> None:
    for key, each in published.items():
        if strange := sorted(each.how.keys() - set(DEFINING)):
            raise UserError(f"published.{key}.how has {', '.join(strange)}; its keys are {', '.join(DEFINING)}.")
        if each.figure not in HEADLINES and each.figure not in names:
            near = get_close_matches(each.figure, {*HEADLINES, *names}, n=3)
            meant = f"did you mean {' or '.join(near)}" if near else f"figures are {', '.join(HEADLINES)}"
            raise UserError(f"published.{key}.figure is {each.figure!r}, which is the name of no figure; {meant}?")


def _beside(results: Results, figures: dict[str, Figure], published: Published) -> Beside:
    name, runs = published.figure, results.of(published.variant)
    ours = figures[name].summaries.get(published.variant) if name in figures else None
    made = next((run.evaluation[name] for run in runs if name in run.metrics), {})
    asked = dict.fromkeys([*published.how, *(key for key in TO_BE_SAID if key in made)])
    unlike = [
        f"{key} {published.how.get(key, 'not said')} there, {made.get(key, 'not said')} here"
        for key in asked
        if str(made.get(key)) != str(published.how.get(key))
    ]
    if ours and published.variant in figures[name].saturated:
        unlike.append("ours is saturated")
    of = published.model_dump(include={"figure", "variant", "value", "error", "source"})
    bound = figures[name].bounds.get(published.variant, "") if ours else ""
    return Beside(**of, ours=ours, bound=bound, unlike=[*(unlike if ours else []), *filter(None, [published.differs])])


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


def _figure(results: Results, name: str) -> Figure:
    runs = {variant: results.of(variant) for variant in results.study.variants}
    values = {
        variant: {run.seed: float(run.metrics[name]) for run in of if name in run.metrics}
        for variant, of in runs.items()
    }
    definitions = {
        variant: [_definition(run, name) for run in runs[variant] if name in run.metrics]
        for variant, by_seed in values.items()
        if by_seed
    }
    unlike = {variant: _unlike(of) for variant, of in definitions.items() if len(_distinct(of)) > 1}
    measured = {variant: values[variant] for variant in definitions if variant not in unlike}
    measures = _measures({variant: definitions[variant][0] for variant in measured})
    shared = [
        (first, second)
        for first, second in combinations(measured, 2)
        if measured[first].keys() & measured[second].keys() and measures.get(first) == measures.get(second)
    ]
    return Figure(
        summaries={variant: summarise(by_seed) for variant, by_seed in measured.items()},
        dashes={
            variant: unlike.get(variant) or _why_absent(of, name)
            for variant, of in runs.items()
            if variant not in measured
        },
        bounds={variant: why for variant in measured if (why := _why_bound(runs[variant], name))},
        saturated=[variant for variant in measured if _saturated(runs[variant], name)],
        warnings={variant: words for variant in measured if (words := _warnings(runs[variant], name))},
        measures=measures,
        pairs=[_pair(name, first, second, measured) for first, second in shared],
    )


def _definition(run: Run, name: str) -> dict[str, Any]:
    """What a figure of two runs must share to be compared."""
    return {key: value for key, value in run.evaluation.get(name, {}).items() if key in DEFINING}


def _distinct(definitions: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each for index, each in enumerate(definitions) if each not in definitions[:index]]


def _differing(definitions: Sequence[dict[str, Any]]) -> list[str]:
    """The keys that are not the same in all of them."""
    return [key for key in DEFINING if len(_distinct([{key: each.get(key)} for each in definitions])) > 1]


def _unlike(definitions: Sequence[dict[str, Any]]) -> str:
    """Why the seeds of a variant have no mean."""
    keys = _differing(definitions)
    ways = [_named({key: each.get(key) for key in keys}) for each in _distinct(definitions)]
    return f"its seeds were measured in unlike ways: {' beside '.join(dict.fromkeys(ways))}"


def _measures(definitions: dict[str, dict[str, Any]]) -> dict[str, str]:
    """What each variant's figure is, where it is a likelihood or another was measured otherwise."""
    keys = _differing(list(definitions.values()))
    found = {}
    for variant, definition in definitions.items():
        others = {key: definition.get(key) for key in keys if key != "measure"}
        words = [definition["measure"]] if "measure" in definition else ["figure"] if others else []
        if words:
            found[variant] = " with ".join([*words, *([_named(others)] if others else [])])
    return found


def _named(definition: dict[str, Any]) -> str:
    return ", ".join(f"{key} {'none' if value is None else value}" for key, value in definition.items())


def _warnings(runs: list[Run], name: str) -> str:
    """What the runs of a variant warn of, once each."""
    found = [run.evaluation.get(name, {}) for run in runs]
    words = [each["warning"] for each in found if "warning" in each]
    words += [f"without {', '.join(each['left_out'])}: too few images have it" for each in found if "left_out" in each]
    return "; ".join(dict.fromkeys(words))


def _saturated(runs: list[Run], name: str) -> bool:
    return any(run.evaluation.get(name, {}).get("saturated", False) for run in runs)


def summarise(values: dict[int, float]) -> Summary:
    """The mean of values by seed, with its interval."""
    # Not above: it loads scipy, which a table printed from comparison.json does without.
    from vaeline.metrics.intervals import interval

    found = interval(list(values.values()))
    return Summary(mean=found.mean, half_width=found.half_width, values=values)


def _pair(name: str, first: str, second: str, values: dict[str, dict[int, float]]) -> Pair:
    from vaeline.metrics.intervals import paired

    higher = HEADLINES.get(name, OTHER).better == "higher"
    (difference, half_width, seeds), won, lost = paired(values[first], values[second], higher)
    return Pair(
        first=first, second=second, difference=difference, half_width=half_width, seeds=seeds, won=won, lost=lost
    )


def _why_absent(runs: list[Run], name: str) -> str:
    if not runs:
        return "none of its runs is there"
    return str(runs[0].evaluation.get(name, {}).get("dash", "not measured"))


def _why_bound(runs: list[Run], name: str) -> str:
    """Why a mean over runs is an upper bound only: one of them is."""
    return "; ".join(dict.fromkeys(why for run in runs if (why := run.evaluation.get(name, {}).get("bound", ""))))
