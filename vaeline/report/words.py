"""Metrics, variants and parts in the words of a sentence: what a reader who does not know the identifiers reads."""

from collections.abc import Mapping

from vaeline.evaluation.catalogue import catalogue
from vaeline.metrics._entry import Metric, Subject
from vaeline.report.paired_differences import Pair
from vaeline.report.table import number, spread

# What references are measured of in place of a run's images.
SUBJECTS: dict[Subject | None, str] = {
    "floor": "real images",
    "held_out": "validation images",
    "pixel_gaussian": "pixel Gaussian",
}
PURPOSES = {"train": "training", "validation": "validation", "test": "test"}  # of the splits


def title(metric: Metric, name: str) -> str:
    """A metric as a heading: `Negative log-likelihood`; the name in words if the metric has no meaning in words."""
    meaning = metric.meaning or name.replace("_", " ")
    return meaning[0].upper() + meaning[1:]


def named(metric: Metric, name: str) -> str:
    """A metric inside a sentence: `the negative log-likelihood`, `precision (samples that look like test images)`.

    The meaning of a likelihood or of a distance is its name in words. That of another metric is a description.
    """
    if metric.unit or metric.space:
        noun, _, more = metric.meaning.partition(", ")
        return f"the {noun} ({more})" if more else f"the {noun}"
    in_words = name.replace("_", " ")
    return f"{in_words} ({metric.meaning})" if metric.meaning else in_words


def amount(metric: Metric, pair: Pair) -> str:
    """How far apart the two variants of a pair are: `1.6 ± 0.9 nats`."""
    difference = number(abs(pair.difference), pair.half_width)
    return " ".join(filter(None, [difference, spread(pair.half_width), metric.unit]))


def wins(pair: Pair) -> str:
    """`better on 4 of 5 seeds`, of the pair's first variant."""
    return f"better on {pair.won} of {pair.seeds} seeds"


def counted(count: int, noun: str) -> str:
    """`1 seed`, `3 seeds`."""
    return f"{count} {noun}{'s' if count > 1 else ''}"


def sizes(images: Mapping[str, int]) -> str:
    """How many images each split has: `7,000 for training, 1,000 for validation and 2,000 for test`."""
    return listed([f"{images[split]:,} for {purpose}" for split, purpose in PURPOSES.items() if split in images])


def listed(names: list[str]) -> str:
    """`one`, `one and two`, `one, two and three`."""
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]])) if names else ""


def of_reference(name: str) -> str:
    """What a reference of the data set was measured of: `real images`, `guessing`."""
    reference = catalogue().references.get(name)
    if reference and reference.subject in SUBJECTS:
        return SUBJECTS[reference.subject]
    ending = name.rpartition("_")[2]
    return {"ceiling": "real images", "floor": "guessing"}.get(ending, name.replace("_", " "))
