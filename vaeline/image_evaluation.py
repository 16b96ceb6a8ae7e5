"""What a run's images are worth: how far they lie from real ones, and whether they show what they were asked to."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from vaeline.errors import UserError
from vaeline.features.classifier import Classifier, predict
from vaeline.metrics.condition_accuracy import condition_accuracy
from vaeline.record import Record
from vaeline.similarity import Features, Reference, look, put_distances, put_distances_by_label, put_neighbours
from vaeline.store import Facts

SUBJECTS = {
    "reconstruction": "reconstructions",
    "sample": "samples",
    "low_posterior": "low-posterior samples",
}


@dataclass(frozen=True)
class Drawn:
    """What a run drew."""

    reconstructions: np.ndarray  # of test images, uint8 (n, channel, height, width)
    samples: np.ndarray  # uint8, the same shape
    labels: np.ndarray  # that the samples were asked to have, int64 (n, columns)
    sources: np.ndarray  # the test image that each reconstruction is of and each sample has its labels from, int64 (n,)
    low_posterior: np.ndarray | None  # samples that the aggregate posterior covers least; None where it has no density
    seed: int  # `sampling.seed`, of all of them


def judge_images(
    drawn: Drawn,
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
        UserError: what was drawn has another shape or range than the test images, or the reference is of another space or
            of other images.
    """
    reference.require(features, facts)
    _refuse_other_images(drawn, facts)
    record = Record(checksums=facts.checksums, seed=drawn.seed)
    _put_similarity(record, drawn, facts, features, reference, by_label and conditional)
    if conditional:
        _put_accuracy(record, drawn, classifier, facts)
    else:
        record.dash("condition_accuracy", "the system is given no labels")
    record.join(reference.record)
    return record


def dash_images(record: Record, features: str, why: str) -> None:
    """Note that accuracies, and distances in a feature space, have no meaning for a data set."""
    for kind in SUBJECTS:
        record.dash(f"{'fid' if features == 'inception' else 'fd'}_{kind}", why)
    record.dash("condition_accuracy", why)


def _put_similarity(
    record: Record, drawn: Drawn, facts: Facts, features: Features, reference: Reference, by_label: bool
) -> None:
    unasked = np.zeros((len(drawn.reconstructions), 0), np.int64)
    seen = look(features, [drawn.reconstructions], unasked, drawn.sources)
    put_distances(record, "reconstruction", seen, SUBJECTS["reconstruction"], features, reference)
    seen = look(features, [drawn.samples], drawn.labels, drawn.sources)
    put_distances(record, "sample", seen, SUBJECTS["sample"], features, reference)
    put_neighbours(record, "", seen, "the samples", reference)
    if by_label:
        put_distances_by_label(record, "sample", seen, "samples asked", features, reference, facts)
    if drawn.low_posterior is None:
        for prefix in (features.prefix, features.kernel_prefix):
            record.dash(f"{prefix}_low_posterior", "the aggregate posterior has no density that is known")
    else:
        seen = look(features, [drawn.low_posterior], np.zeros((len(drawn.low_posterior), 0), np.int64))
        put_distances(record, "low_posterior", seen, SUBJECTS["low_posterior"], features, reference)


def _put_accuracy(record: Record, drawn: Drawn, classifier: Classifier, facts: Facts) -> None:
    shown = predict(classifier, torch.from_numpy(drawn.samples)).numpy()
    accuracy = condition_accuracy(shown, drawn.labels, facts.label_names)
    definition = "Balanced accuracy, over the labels asked for, of samples as the classifier sees them."
    how: dict[str, Any] = {"split": "test", "images": len(shown), "judge": classifier.weights}
    record.put_mean("condition_accuracy", accuracy, definition, left_out=facts.lacking(drawn.labels), **how)


def _refuse_other_images(drawn: Drawn, facts: Facts) -> None:
    kinds = {"reconstructions": drawn.reconstructions, "samples": drawn.samples}
    if drawn.low_posterior is not None:
        kinds["low-posterior samples"] = drawn.low_posterior
    for kind, images in kinds.items():
        if images.shape[1:] != facts.image_shape or images.dtype != facts.dtype or images.max() >= facts.levels:
            raise UserError(
                f"The {kind} are {'x'.join(map(str, images.shape[1:]))} of type {images.dtype}, up to {images.max()}, but the test "
                f"images are {'x'.join(map(str, facts.image_shape))} with {facts.levels} levels; draw them anew with "
                "`python -m pipeline_steps.sample`."
            )
    if drawn.labels.shape != (len(drawn.samples), len(facts.label_names)):
        raise UserError(
            f"There are {len(drawn.samples):,} samples and {'x'.join(map(str, drawn.labels.shape))} labels, which should be "
            f"{len(drawn.samples):,}x{len(facts.label_names)}; draw them anew with `python -m pipeline_steps.sample`."
        )
