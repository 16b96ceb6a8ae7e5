"""What a study answers, in sentences made from its paired comparisons."""

from itertools import pairwise

from vaeline.evaluation.catalogue import catalogue
from vaeline.report.comparison import Comparison, MetricResults
from vaeline.report.paired_differences import Pair
from vaeline.report.table import number, spread

# Of each line the first figure in which most variants compare is spoken of: the fairest measure of likelihood, of samples, ...
LIKELIHOOD = ("nll_given_label_refit", "nll_refit", "nll_given_label", "nll", "negative_elbo")
SAMPLES = ("fid_sample", "fd_sample")
QUESTIONS = [
    LIKELIHOOD,
    SAMPLES,
    ("fid_reconstruction", "fd_reconstruction"),
    ("skl",),
    ("condition_accuracy",),
    ("probe_linear",),
    ("mig",),
]

# What to read where a Frechet distance warns that it is biased.
UNBIASED = {
    f"{frechet}_{of}": f"{kernel}_{of}"
    for frechet, kernel in (("fid", "kid"), ("fd", "kd"))
    for of in ("sample", "reconstruction")
}


def figures(comparison: Comparison) -> list[str]:
    """The figures that the study is answered by."""
    chosen = [figure(comparison, question) for question in QUESTIONS]
    return [name for name in chosen if name]


def figure(comparison: Comparison, question: tuple[str, ...]) -> str | None:
    """The figure that one question is answered by: that in which most variants compare; None where no two do."""
    measured = {name: each.comparable for name, each in comparison.metrics.items()}
    chosen = max(question, key=lambda name: measured.get(name, 0))
    if measured.get(chosen, 0) < 2:
        return None
    return UNBIASED[chosen] if chosen in UNBIASED and comparison.metrics[chosen].warnings else chosen


def sentences(comparison: Comparison, name: str) -> list[str]:
    """Compare each variant with the next in the ranking of figure `name`, best first; unlike ones each among their like."""
    figure, past = comparison.metrics[name], comparison.unranked(name)
    said = [_saturated(name, figure.saturated)] if figure.saturated else []
    said += [_past_ceiling(name, past, _ceiling(comparison, name))] if past else []
    return said + [sentence for part in figure.alike().values() for sentence in _of_like(name, part, past)]


def _of_like(name: str, figure: MetricResults, past: list[str]) -> list[str]:
    ranked = [each for each in figure.ranking(catalogue().metric(name)) if each not in {*figure.saturated, *past}]
    if len(ranked) > 1 and figure.pairs and all(pair.half_width is None for pair in figure.pairs):
        return [_without_interval(name, figure, ranked)]
    return [_sentence(name, figure, first, second) for first, second in pairwise(ranked)]


def _saturated(name: str, variants: list[str]) -> str:
    return f"{name} is saturated, and cannot rank {', '.join(variants)}."


def _ceiling(comparison: Comparison, name: str) -> float:
    """What real images score."""
    reference = next(iter(comparison.past(name, "better than real images").values()))
    return comparison.references[reference.name].value


def _past_ceiling(name: str, variants: list[str], ceiling: float) -> str:
    return f"{name} is past the {number(ceiling)} of real images, and says no more, for: {', '.join(variants)}."


def _without_interval(name: str, figure: MetricResults, ranked: list[str]) -> str:
    """One seed gives an order and no verdict."""
    values = [
        f"{variant} {'<= ' if variant in figure.upper_bounds else ''}{number(figure.summaries[variant].mean)}"
        for variant in ranked
    ]
    return f"{name} without an interval, which takes two seeds, and so without a verdict: {', '.join(values)}."


def _sentence(name: str, figure: MetricResults, first: str, second: str) -> str:
    pair = figure.pair(first, second)
    if pair is None:
        return f"{first} and {second} share no seed, so they are not compared in {name}."
    if catalogue().metric(name).sign * pair.difference > 0:  # seeds that only one of them has made the ranking
        pair = pair.turned()
    by, seeds = _by(name, pair), f"{pair.won} of {pair.seeds} seeds"
    if pair.half_width is None:
        return (
            f"{pair.first} came out better than {pair.second} by {by} in {name}, on one seed: no interval, no verdict."
        )
    if pair.second in figure.upper_bounds:
        whose = f"The upper bound of {pair.first}" if pair.first in figure.upper_bounds else pair.first
        return (
            f"{whose} lies {by} below the upper bound of {pair.second} in {name}, {seeds}, which leaves open how far "
            f"{pair.second} is below its bound."
        )
    if pair.significant:
        return f"{pair.first} is better than {pair.second} by {by} in {name}, {seeds}."
    holds = f"the interval of their difference, {by}, includes 0 ({pair.first} better in {seeds})"
    return f"{first} and {second} are not apart in {name}: {holds}."


def _by(name: str, pair: Pair) -> str:
    difference = number(abs(pair.difference), pair.half_width)
    return " ".join(filter(None, [difference, spread(pair.half_width), catalogue().metric(name).unit]))
