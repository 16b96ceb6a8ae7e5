"""Compute a comparison: summarise each metric over seeds, and compare variants two by two."""

from collections.abc import Mapping

from vaeline.evaluation.catalogue import catalogue, require_published
from vaeline.evaluation.record import Record
from vaeline.report import claims, verdicts
from vaeline.report.comparability import definition_of, measures, why_no_mean, why_not_all
from vaeline.report.comparison import (
    Comparison,
    MetricResults,
    PublishedComparison,
    ReferenceValue,
    Summary,
    VerdictInWords,
)
from vaeline.report.estimates import RunValue, estimate_of
from vaeline.report.kept_pairs import kept
from vaeline.report.paired_differences import Pair, Values, paired_difference
from vaeline.report.results import Results, Run
from vaeline.study.schema import Published

# What a published value must say to be compared with ours, if ours says it.
TO_BE_SAID = ("samples", "images", "features", "noise")


def compare(results: Results) -> Comparison:
    """Summarise each metric over seeds, and compare variants two by two on the seeds they share.

    Of many variants, the pairs that `kept_pairs` names are compared.

    Raises:
        UserError: a published metric, or how it was made, has an unknown name.
    """
    require_published(results.published)
    metrics = summaries(results)
    decide = claims.primary(results.study, metrics)
    metrics = {name: _with_pairs(results, name, of, name in decide) for name, of in metrics.items()}
    level = claims.level_of(results.study.looks)
    runs = {variant: results.of(variant) for variant in results.study.variants}
    if not results.missing:  # a preview claims nothing
        metrics |= claims.adjusted(metrics, decide, results.study.baseline, level)
    return Comparison(
        study=results.study.name,
        variants=list(results.study.variants),
        seeds=list(results.study.seeds),
        missing=[f"{variant} seed {seed}: {state}" for (variant, seed), state in results.missing.items()],
        metrics=metrics,
        primary=decide,
        undecided=claims.undecided(results.study, metrics),
        baseline=results.study.baseline,
        looks=results.study.looks,
        level=level,
        references=_references(results.reference),
        published=[_published(results, metrics, each) for each in results.published.values()],
        settings=results.settings,
        weights={variant: {run.seed: run.weights_sha256 for run in of} for variant, of in runs.items()},
        evaluations={variant: {run.seed: run.evaluation_sha256 for run in of} for variant, of in runs.items()},
    )


def summaries(results: Results) -> dict[str, MetricResults]:
    """Each metric over seeds, without pairs of variants."""
    names = sorted({name for run in results.runs for name in (*run.metrics, *run.evaluation)})
    return {name: _results_of(results, name) for name in names}


def pairs_of(results: Results) -> dict[str, Pair]:
    """The comparison of two variants that are the only ones, in each metric that both have and that was measured alike; not adjusted."""
    every = {name: _with_pairs(results, name, of, primary=False) for name, of in summaries(results).items()}
    return {name: of.pairs[0] for name, of in every.items() if of.pairs}


def summarise(values: Mapping[int, RunValue]) -> Summary:
    """The mean of values by seed, with its interval.

    Args:
        values: seed -> what the run says of the metric.
    """
    found = estimate_of(list(values.values()))
    return Summary(
        mean=found.mean,
        half_width=found.half_width(),
        values={seed: each.value for seed, each in values.items()},
        over=list(found.over),
    )


def _references(record: Record) -> dict[str, ReferenceValue]:
    return {name: ReferenceValue.of(record, name) for name in catalogue().references if name in record.metrics}


def _published(results: Results, metrics: dict[str, MetricResults], published: Published) -> PublishedComparison:
    name, runs = published.metric, results.of(published.variant)
    ours = metrics[name].summaries.get(published.variant) if name in metrics else None
    made = next((run.evaluation[name] for run in runs if name in run.metrics), {})
    asked = dict.fromkeys([*published.how, *(key for key in TO_BE_SAID if key in made)])
    unlike = [
        f"{key} {published.how.get(key, 'not said')} there, {made.get(key, 'not said')} here"
        for key in asked
        if str(made.get(key)) != str(published.how.get(key))
    ]
    if ours and published.variant in metrics[name].saturated:
        unlike.append("ours is saturated")
    return PublishedComparison(
        **published.model_dump(include={"metric", "variant", "value", "error", "source"}),
        ours=ours,
        upper_bound=metrics[name].upper_bounds.get(published.variant, "") if ours else "",
        unlike=[*(unlike if ours else []), *filter(None, [published.differs])],
    )


def _results_of(results: Results, name: str) -> MetricResults:
    runs = {variant: results.of(variant) for variant in results.study.variants}
    definitions = {
        variant: [definition_of(run, name) for run in of if name in run.metrics] for variant, of in runs.items()
    }
    unlike = {variant: why for variant, of in definitions.items() if (why := why_no_mean(of, "its seeds"))}
    values = {
        variant: _values(runs[variant], name) for variant, of in definitions.items() if of and variant not in unlike
    }
    return MetricResults(
        summaries={variant: summarise(by_seed) for variant, by_seed in values.items()},
        dashes={
            variant: unlike.get(variant) or _why_absent(of, name)
            for variant, of in runs.items()
            if variant not in values
        },
        upper_bounds={variant: why for variant in values if (why := _once(runs[variant], name, "upper_bound"))},
        saturated=[variant for variant in values if _is_saturated(runs[variant], name)],
        warnings={variant: words for variant in values if (words := _warnings(runs[variant], name))},
        descriptive={variant: why for variant in values if (why := _why_descriptive(runs[variant], name))},
        verdicts={variant: found for variant in values if (found := _verdict(runs[variant], name))},
        measures=measures({variant: definitions[variant][0] for variant in values}),
        pairs=[],
    )


def _with_pairs(results: Results, name: str, of: MetricResults, primary: bool) -> MetricResults:
    values = {variant: _values(results.of(variant), name) for variant in of.summaries}
    return with_pairs(name, of, values, primary, results.study.baseline)


def with_pairs(name: str, of: MetricResults, values: Values, primary: bool, baseline: str | None) -> MetricResults:
    """The results of a metric with the pairs of variants that are kept, of those that share a seed.

    Args:
        name: of the metric.
        of: its results, without pairs.
        values: of each variant that has a summary, by seed.
        primary: whether the metric decides the study.
        baseline: of the study.
    """
    metric = catalogue().metric(name)
    pairs = [
        paired_difference(first, second, values, metric.better == "higher")
        for first, second in kept(of, metric, primary, baseline)
        if values[first].keys() & values[second].keys()
    ]
    return of.model_copy(update={"pairs": pairs})


def _values(runs: list[Run], name: str) -> dict[int, RunValue]:
    return {run.seed: RunValue.of(run.evaluation[name]) for run in runs if name in run.metrics}


def _warnings(runs: list[Run], name: str) -> str:
    """The warnings of a variant's runs, once each."""
    found = [run.evaluation.get(name, {}) for run in runs]
    words = [each["warning"] for each in found if "warning" in each]
    for each in found:
        unlearned = each.get("unlearned", [])
        if rare := [name for name in each.get("left_out", []) if name not in unlearned]:
            words.append(f"without {', '.join(rare)}: too few images have it")
        if unlearned:
            who = "a classifier" if "by_judge" in each else "the classifier"
            words.append(f"without {', '.join(unlearned)}: {who} was not shown to be better than chance on it")
    return "; ".join(dict.fromkeys(words))


def _verdict(runs: list[Run], name: str) -> VerdictInWords | None:
    entries = [{**run.evaluation[name], "rate": run.metrics.get("rate")} for run in runs if name in run.metrics]
    return verdicts.over_seeds(entries)


def _is_saturated(runs: list[Run], name: str) -> bool:
    return any(run.evaluation.get(name, {}).get("saturated", False) for run in runs)


def _why_absent(runs: list[Run], name: str) -> str:
    if not runs:
        return "none of its runs is finished"
    return str(runs[0].evaluation.get(name, {}).get("dash", "not measured"))


def _why_descriptive(runs: list[Run], name: str) -> str:
    """Why the mean of a variant's runs ranks nothing: a run says so, or has no value, which may be because it is the worst."""
    return _once(runs, name, "descriptive") or why_not_all({run.seed for run in runs if name not in run.metrics})


def _once(runs: list[Run], name: str, key: str) -> str:
    """What some runs say of their value, such as why it is an upper bound, which holds for their mean too: each text once."""
    return "; ".join(dict.fromkeys(why for run in runs if (why := run.evaluation.get(name, {}).get(key, ""))))
