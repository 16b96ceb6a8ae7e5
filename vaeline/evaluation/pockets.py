"""Where the match of aggregate posterior and prior ranks nothing, because latents say too little of the image."""

from math import log

from vaeline.evaluation.catalogue import catalogue
from vaeline.evaluation.record import Record

# Nats. Posteriors that tell no two halves of the images apart lie on top of one another, and leave no pockets between them.
LEAST_INFORMATION = log(2)

COLLAPSED = "the posterior has collapsed, and matches the prior without being of use"
UNINFORMED = "with a mutual information under log 2 nats, posteriors lie on top of one another and leave no pockets"


def describe_without_pockets(record: Record) -> None:
    """Mark the metrics that rank only models whose latents tell images apart, if those of this run do not.

    Args:
        record: of all metrics of a run.
    """
    if not (why := _why_no_pockets(record)):
        return
    for name, metric in catalogue().metrics.items():
        if metric.needs_information and name in record.metrics:
            record.evaluation[name]["descriptive"] = why


def _why_no_pockets(record: Record) -> str:
    if record.evaluation.get("posterior", {}).get("verdict") == "collapsed":
        return COLLAPSED
    return UNINFORMED if record.metrics.get("mutual_information", LEAST_INFORMATION) < LEAST_INFORMATION else ""
