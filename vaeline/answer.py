"""What a study answers, in sentences made from its paired comparisons."""

from itertools import pairwise

from vaeline.comparison import HEADLINES, Comparison, Figure
from vaeline.table import number, spread

# Of each line the first figure in which most variants compare is spoken of: the fairest measure of likelihood, of samples, ...
QUESTIONS = [
    ("nll_given_label_refit", "nll_refit", "nll_given_label", "nll", "negative_elbo"),
    ("fid_sample", "fd_sample"),
    ("fid_reconstruction", "fd_reconstruction"),
    ("skl",),
    ("condition_accuracy",),
    ("probe_linear",),
    ("mig",),
]


def figures(comparison: Comparison) -> list[str]:
    """The figures that the study is answered by."""
    measured = {name: figure.comparable for name, figure in comparison.figures.items()}
    chosen = [max(question, key=lambda name: measured.get(name, 0)) for question in QUESTIONS]
    return [name for name in chosen if measured.get(name, 0) > 1]


def sentences(comparison: Comparison, name: str) -> list[str]:
    """Compare each variant with the next in the ranking of figure `name`, best first."""
    figure = comparison.figures[name]
    return [_sentence(name, figure, first, second) for first, second in pairwise(figure.ranking(HEADLINES[name]))]


def _sentence(name: str, figure: Figure, first: str, second: str) -> str:
    pair = figure.pair(first, second)
    if figure.mixed and figure.measures.get(first) != figure.measures.get(second):
        return (
            f"{first} and {second} are not compared in {name}: {first} has a {figure.measures[first]}, {second} a "
            f"{figure.measures[second]}."
        )
    if pair is None:
        return f"{first} and {second} share no seed, so they are not compared in {name}."
    if HEADLINES[name].sign * pair.difference > 0:  # seeds that only one of them has made the ranking
        pair = pair.turned()
    difference = number(abs(pair.difference), pair.half_width)
    by = " ".join(filter(None, [difference, spread(pair.half_width), HEADLINES[name].unit]))
    of = f"{name} (an upper bound)" if figure.bounds.keys() & {first, second} else name
    of = f"{name} (saturated, which says little)" if {first, second} & set(figure.saturated) else of
    seeds = f"{pair.won} of {pair.seeds} seeds"
    if pair.half_width is None:
        return f"{pair.first} came out better than {pair.second} by {by} in {of}, on one seed: no interval, no verdict."
    if pair.apart:
        return f"{pair.first} is better than {pair.second} by {by} in {of}, {seeds}."
    holds = f"the interval of their difference, {by}, holds 0 ({pair.first} better in {seeds})"
    return f"{first} and {second} are not apart in {of}: {holds}."
