"""What a run's images are worth: how far they lie from real ones, and whether they show what they were asked to."""

from typing import Any

import numpy as np
import torch

from vaeline.data.facts import Facts
from vaeline.evaluation.classifier import Classifier, predict
from vaeline.evaluation.record import Record
from vaeline.evaluation.similarity import (
    Features,
    Reference,
    extract,
    put_distances,
    put_distances_by_label,
    put_neighbours,
)
from vaeline.metrics.condition_accuracy import condition_accuracy
from vaeline.runs.samples_file import DrawnImages

UNTOLD = "the system is given no labels"
SUBJECTS = {
    "reconstruction": "reconstructions (decoder means, clipped and rounded)",
    "sample": "samples (decoder means of draws of p(z), clipped and rounded)",
    "low_posterior": "low-posterior samples (likewise, of the draws that the aggregate posterior covers least)",
}


def judge_images(
    drawn: DrawnImages,
    facts: Facts,
    features: Features,
    reference: Reference,
    classifier: Classifier,
    conditional: bool,
    by_label: bool = False,
) -> Record:
    """Hold what a run drew against the real test images, and its samples against the labels they were asked to have.

    Args:
        drawn: what the run drew.
        facts: of the store.
        features: the space of the distances.
        reference: the test split in that space.
        classifier: judge of conditions.
        conditional: whether the run was given labels.
        by_label: whether distances are taken label by label too.

    Raises:
        UserError: what was drawn has another shape or range than the test images, or the reference is of another space, of
            other images, or for another number of samples.
    """
    drawn.require(facts)
    reference.require(features, facts, len(drawn.samples))
    record = Record(checksums=facts.checksums, seed=drawn.seed)
    _put_similarity(record, drawn, facts, features, reference, conditional, by_label)
    if conditional:
        _put_accuracy(record, drawn, classifier, facts)
    else:
        record.dash("condition_accuracy", UNTOLD)
    record.join(reference.record)
    return record


def dash_images(record: Record, prefixes: tuple[str, str], why: str) -> None:
    """Note that accuracies, and distances in a feature space, have no meaning for a data set."""
    record.dash_each((f"{prefix}_{kind}" for prefix in prefixes for kind in SUBJECTS), why)
    record.dash_each(("condition_accuracy", "precision", "recall", "density", "coverage"), why)


def _put_similarity(
    record: Record,
    drawn: DrawnImages,
    facts: Facts,
    features: Features,
    reference: Reference,
    conditional: bool,
    by_label: bool,
) -> None:
    unasked = np.zeros((len(drawn.reconstructions), 0), np.int64)
    seen = extract(features, [drawn.reconstructions], unasked, drawn.test_index)
    put_distances(record, "reconstruction", seen, SUBJECTS["reconstruction"], features, reference)
    seen = extract(features, [drawn.samples], drawn.labels, drawn.test_index)
    put_distances(record, "sample", seen, SUBJECTS["sample"], features, reference)
    put_neighbours(record, "", seen, "the samples", reference)
    if by_label and conditional:
        put_distances_by_label(record, "sample", seen, "samples asked", features, reference, facts)
    elif by_label:
        record.dash(f"{features.prefix}_sample_by_label", UNTOLD)
    if drawn.low_posterior is None:
        for prefix in (features.prefix, features.kernel_prefix):
            record.dash(
                f"{prefix}_low_posterior", "the density of the aggregate posterior is not known, or not at every draw"
            )
    else:
        seen = extract(features, [drawn.low_posterior], np.zeros((len(drawn.low_posterior), 0), np.int64))
        put_distances(record, "low_posterior", seen, SUBJECTS["low_posterior"], features, reference)


def _put_accuracy(record: Record, drawn: DrawnImages, classifier: Classifier, facts: Facts) -> None:
    shown = predict(classifier, torch.from_numpy(drawn.samples)).numpy()
    accuracy = condition_accuracy(shown, drawn.labels, facts.label_names)
    definition = "Balanced accuracy, over the labels asked for, of samples as the classifier sees them."
    how: dict[str, Any] = {"split": "test", "images": len(shown), "judge": classifier.weights_sha256}
    record.put_mean("condition_accuracy", accuracy, definition, left_out=facts.missing_values(drawn.labels), **how)
