"""The statistics of kept results, computed again from the values of their runs: after a change of how intervals or claims are computed."""

from vaeline.report import claims
from vaeline.report.compare import summarise, with_pairs
from vaeline.report.comparison import MetricResults
from vaeline.report.estimates import RunValue
from vaeline.report.kept_results import KeptResults


def recomputed(kept: KeptResults) -> KeptResults:
    """Kept results with means, intervals, differences and claims as the code computes them now; all else stays."""
    was = kept.comparison
    metrics = {name: _recomputed(kept, name, of) for name, of in was.metrics.items()}
    if not was.missing:  # a preview claims nothing
        metrics |= claims.adjusted(metrics, was.primary, was.baseline, was.level)
    published = [
        each.model_copy(update={"ours": summarise(_values(kept, each.metric, each.variant))}) if each.ours else each
        for each in was.published
    ]
    now = was.model_copy(update={"metrics": metrics, "published": published})
    return kept.model_copy(update={"comparison": now})


def _recomputed(kept: KeptResults, name: str, of: MetricResults) -> MetricResults:
    values = {
        variant: _values(kept, name, variant)
        for variant in kept.comparison.variants  # the file has them sorted by name, and pairs are in this order
        if variant in of.summaries
    }
    found = of.model_copy(update={"summaries": {variant: summarise(by_seed) for variant, by_seed in values.items()}})
    if name not in kept.comparison.primary:
        return found
    return with_pairs(name, found, values, primary=True, baseline=kept.comparison.baseline)


def _values(kept: KeptResults, metric: str, variant: str) -> dict[int, RunValue]:
    """Seed -> value, in the order of the study: the file has the seeds sorted as text, and another order would round a sum otherwise."""
    made = kept.measured[metric].of(variant)
    return {seed: RunValue.of(made[seed]) for seed in kept.comparison.seeds if seed in made}
