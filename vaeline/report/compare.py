"""Compute a comparison: summarise each metric over seeds, and compare every two variants."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from itertools import combinations
from typing import Any

from vaeline.report.comparison import DEFINING, Comparison, MetricResults, Pair, PublishedComparison, summarise
from vaeline.report.headlines import HEADLINES, OTHER
from vaeline.report.results import Results, Run
from vaeline.study.schema import Published
from vaeline.system.errors import UserError

# What a published figure must say to be held against ours, where ours says it.
TO_BE_SAID = ("samples", "images", "features")


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
        metrics=figures,
        published=[_beside(results, figures, each) for each in results.published.values()],
    )


def _refuse_unknown(published: Mapping[str, Published], names: Sequence[str]) -> None:
    for key, each in published.items():
        if strange := sorted(each.how.keys() - set(DEFINING)):
            raise UserError(f"published.{key}.how has {', '.join(strange)}; its keys are {', '.join(DEFINING)}.")
        if each.metric not in HEADLINES and each.metric not in names:
            near = get_close_matches(each.metric, {*HEADLINES, *names}, n=3)
            meant = f"did you mean {' or '.join(near)}" if near else f"figures are {', '.join(HEADLINES)}"
            raise UserError(f"published.{key}.metric is {each.metric!r}, which is the name of no figure; {meant}?")


def _beside(results: Results, figures: dict[str, MetricResults], published: Published) -> PublishedComparison:
    name, runs = published.metric, results.of(published.variant)
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
    of = published.model_dump(include={"metric", "variant", "value", "error", "source"})
    bound = figures[name].bounds.get(published.variant, "") if ours else ""
    return PublishedComparison(
        **of, ours=ours, bound=bound, unlike=[*(unlike if ours else []), *filter(None, [published.differs])]
    )


def _figure(results: Results, name: str) -> MetricResults:
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
    return MetricResults(
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


def _pair(name: str, first: str, second: str, values: dict[str, dict[int, float]]) -> Pair:
    from vaeline.report.intervals import paired

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
