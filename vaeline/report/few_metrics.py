"""The few numbers of a variant by which DVC's tables compare experiments: a table of all metrics has hundreds of columns."""

from vaeline.evaluation.catalogue import catalogue
from vaeline.report.comparison import Comparison

MOST = 5  # metrics


def few_metrics(comparison: Comparison) -> list[str]:
    """The primary metrics, then the first metric that ranks variants of each other group of the table."""
    known = catalogue()
    chosen = list(comparison.primary)
    for name in comparison.main_metrics():
        metric = known.metric(name)
        if metric.better and metric.group not in {known.metric(each).group for each in chosen}:
            chosen.append(name)
    return chosen[:MOST]


def few_means(comparison: Comparison) -> dict[str, dict[str, float]]:
    """The study's metrics.json: variant -> metric -> mean over seeds, in this order. A metric that a variant lacks is left out."""
    means, names = comparison.means(), few_metrics(comparison)
    return {variant: {name: of[name] for name in names if name in of} for variant, of in means.items()}
