"""The answer of a study in one sentence for each primary metric, in words: what a reader takes home."""

from vaeline.evaluation.catalogue import catalogue
from vaeline.metrics._entry import Metric
from vaeline.report.comparison import Comparison, MetricResults
from vaeline.report.decisions import is_decided, why_open
from vaeline.report.paired_differences import Pair
from vaeline.report.table import marks, number
from vaeline.report.words import amount, listed, named, wins

MOST_NAMED = 4  # variants in a sentence


def headlines(comparison: Comparison, name: str) -> list[str]:
    """The answer in one metric: a sentence, or one for each measure if variants have different measures of the same name.

    Args:
        comparison: of the study.
        name: of a primary metric.
    """
    metric = catalogue().metric(name)
    parts = {measure: of for measure, of in comparison.metrics[name].alike().items() if len(of.ranked) > 1}
    sentences = {measure: _headline(comparison, name, metric, of) for measure, of in parts.items()}
    return [f"{text[:-1]} ({measure})." if measure else text for measure, text in sentences.items()]


def _headline(comparison: Comparison, name: str, metric: Metric, results: MetricResults) -> str:
    unranked = {*results.saturated, *comparison.unranked(name)}
    ranked = [variant for variant in results.ranking(metric) if variant not in unranked]
    what = named(metric, name)
    if len(ranked) < 2:
        return f"{_capital(what)} ranks fewer than two variants, so that it decides nothing."
    if results.pairs and all(pair.half_width is None for pair in results.pairs):
        best = f"{ranked[0]} ({number(results.summaries[ranked[0]].mean)})"
        return f"One seed gives no verdict: so far, {best} has the best mean in {what}."
    if comparison.baseline in ranked:
        return _against(comparison, name, results, [each for each in ranked if each != comparison.baseline])
    return _of_all(comparison, name, metric, results, ranked)


def _against(comparison: Comparison, name: str, results: MetricResults, others: list[str]) -> str:
    """How the other variants, best first, compare with the baseline."""
    metric, baseline = catalogue().metric(name), str(comparison.baseline)
    pairs = {each: pair for each in others if (pair := results.pair(each, baseline))}
    decided = {each: pair for each, pair in pairs.items() if is_decided(comparison, name, pair)}
    better = [each for each, pair in decided.items() if metric.sign * pair.difference < 0]
    worse = [each for each in decided if each not in better]
    said = (
        [f"{_with_amounts(metric, pairs, better)} improve{'s' * (len(better) == 1)} {named(metric, name)}"]
        if better
        else []
    )
    said += (
        [f"{_with_amounts(metric, pairs, worse)} make{'s' * (len(worse) == 1)} it worse"] if worse and better else []
    )
    if worse and not better:
        said.append(f"{_with_amounts(metric, pairs, worse)} make{'s' * (len(worse) == 1)} {named(metric, name)} worse")
    if not said:
        return f"No variant differs significantly from the baseline {baseline} in {named(metric, name)}."
    open_ = [each for each in others if each not in decided]
    rest = f"; {_some(open_)} cannot be told from it" if open_ else ""
    return f"Compared with the baseline {baseline}, {', and '.join(said)}{rest}."


def _of_all(comparison: Comparison, name: str, metric: Metric, results: MetricResults, ranked: list[str]) -> str:
    """Which variants are best, and by how much the next one is behind."""
    found, what = marks(results.claimed, metric, comparison.unranked(name)), named(metric, name)
    leaders = [each for each in ranked if each in found]
    behind = next((each for each in ranked if each not in leaders), None)
    if not leaders:
        return f"No variant is called best in {what}: {_why_none(comparison, name, results, ranked)}."
    pair = results.pair(leaders[0], behind) if behind else None
    decided = pair and is_decided(comparison, name, pair)
    if len(leaders) == 1 and pair and decided:
        return f"{leaders[0]} improves {what} by {amount(metric, pair)} over the next best, {behind} ({wins(pair)})."
    others = f"{_some(leaders[1:])} {'is' if len(leaders) == 2 else 'are'} not significantly different from it"
    shared = f"{leaders[0]} has the best mean in {what}, and {others}"
    if pair and decided:
        return f"{shared}; it improves on {behind} by {amount(metric, pair)} ({wins(pair)})."
    return f"{shared}."


def _why_none(comparison: Comparison, name: str, results: MetricResults, ranked: list[str]) -> str:
    """Why no variant is called best."""
    if comparison.missing:
        return "runs are missing"
    leader = results.ranking(catalogue().metric(name))[0]
    if leader in comparison.unranked(name):
        return f"{leader} is better than real images, which ranks nothing"
    if results.saturated:
        return f"the metric is saturated for {_some(results.saturated)}"
    if set(ranked) <= results.upper_bounds.keys():
        return "all values are upper bounds"
    pairs = [pair for other in ranked[1:] if (pair := results.pair(ranked[0], other))]
    reasons = [why for pair in pairs if (why := why_open(comparison, name, pair))]
    return (
        f"{ranked[0]} has the best mean, and {reasons[0]}"
        if reasons
        else "the means are of other seeds than those that variants share"
    )


def _with_amounts(metric: Metric, pairs: dict[str, Pair], names: list[str]) -> str:
    shown = [f"{each} (by {amount(metric, pairs[each])})" for each in names[:MOST_NAMED]]
    return listed([*shown, f"{len(names) - MOST_NAMED} more"] if names[MOST_NAMED:] else shown)


def _some(names: list[str]) -> str:
    return listed([*names[:MOST_NAMED], f"{len(names) - MOST_NAMED} more"] if names[MOST_NAMED:] else names)


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
