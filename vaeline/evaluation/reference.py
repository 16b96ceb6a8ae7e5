"""What the runs of a data set are held against: its real test images in a feature space, and figures that give scale."""

import json
from collections.abc import Iterator
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from vaeline.data.batches import evenly_spaced
from vaeline.data.facts import Facts
from vaeline.data.on_disk import OnDisk
from vaeline.data.store import Split, SplitOnDisk
from vaeline.evaluation.classifier import Classifier, predict, probabilities
from vaeline.evaluation.record import Record, parse
from vaeline.evaluation.similarity import (
    Features,
    ImageFeatures,
    Reference,
    extract,
    named,
    put_distances,
    put_distances_by_label,
    put_neighbours,
)
from vaeline.metrics.calibration_error import BINS, calibration_error
from vaeline.metrics.condition_accuracy import chance, condition_accuracy
from vaeline.metrics.frechet import Moments
from vaeline.system.errors import UserError
from vaeline.system.files import sha256, write_json, written_aside

BATCH = 500
MOST_DIRECTIONS = 10_000  # training images that span the pixel Gaussian; time and memory grow with them


def measure(
    features: Features,
    classifier: Classifier,
    train: Split | SplitOnDisk,
    test: Split,
    facts: Facts,
    seed: int,
    drawn: int | None = None,
    by_label: bool = False,
) -> Reference:
    """Measure the test split, and what the best and the worst of systems would score.

    Args:
        features: the space of the distances.
        classifier: judge of conditions.
        train: split that the best and the worst are taken from.
        test: split that everything is held against.
        facts: of their store.
        seed: of the Gaussian's samples.
        drawn: images that each system draws; None: as many as are in the test split.
        by_label: whether distances are taken label by label too.
    """
    count = min(drawn or len(test.images), len(test.images))
    record = Record(checksums=facts.checksums, seed=seed)
    seen = extract(features, [test.images], test.labels, np.arange(len(test.images)))
    known = Reference(named(features), seen, record, facts.checksums.get("test", ""), count)
    chosen = evenly_spaced(len(train.images), count)
    subject = f"{len(chosen)} training images"
    floor = extract(features, [train.images.take(chosen, axis=0)], train.labels[chosen])
    put_distances(record, "floor", floor, subject, features, known)
    put_neighbours(record, "_ceiling", floor, subject, known)
    if by_label:
        put_distances_by_label(record, "floor", floor, subject, features, known, facts)
    gaussian = extract(
        features, pixel_gaussian(train.images, count, facts.levels, seed), np.zeros((count, 0), np.int64)
    )
    subject = "samples of a Gaussian with the training pixels' mean and covariance"
    put_distances(record, "pixel_gaussian", gaussian, subject, features, known)
    _put_conditions(record, classifier, test, facts)
    _put_calibration(record, classifier, test, facts)
    return known


def pixel_gaussian(images: np.ndarray | OnDisk, count: int, levels: int, seed: int) -> Iterator[np.ndarray]:
    """Sample a Gaussian with the mean and covariance of all pixels: blocks of uint8 images, clipped and rounded.

    A sample is mean + w (X - mean) / sqrt(n - 1) with standard normal w, (n,), and the training images X, (n, pixels):
    the covariance itself, 22,188 x 22,188 for faces, is never formed.

    Args:
        images: training split, uint8 (any, channel, height, width); 10,000 of them are used at most.
        count: samples.
        levels: of a pixel.
        seed: of the samples.
    """
    chosen = torch.from_numpy(images.take(evenly_spaced(len(images), MOST_DIRECTIONS), axis=0))
    rows, generator = chosen.flatten(1), torch.Generator().manual_seed(seed)
    mean = (torch.stack([block.double().sum(0) for block in rows.split(BATCH)]).sum(0) / len(rows)).float()
    for start in range(0, count, BATCH):
        weights = torch.randn(min(BATCH, count - start), len(rows), generator=generator) / sqrt(len(rows) - 1)
        samples = mean.repeat(len(weights), 1)
        for block, of_block in zip(rows.split(BATCH), weights.split(BATCH, 1), strict=True):
            samples.addmm_(of_block, block - mean)
        yield samples.round_().clamp_(0, levels - 1).to(torch.uint8).unflatten(1, chosen.shape[1:]).numpy()


def write(reference: Reference, statistics: Path, figures: Path) -> None:
    """Write what was seen as safetensors and the figures as JSON."""
    seen = reference.seen
    tensors = {
        "count": np.array(seen.moments.count), "mean": seen.moments.mean, "covariance": seen.moments.covariance,
        "rows": seen.rows, "labels": seen.labels, "sources": seen.sources,
    }  # fmt: skip
    if seen.moments.factor is not None:
        tensors["factor"] = seen.moments.factor
    with written_aside(statistics) as aside:
        save_file(tensors, aside)
    content = {"space": reference.space, "test_sha256": reference.test_sha256, "drawn": reference.drawn}
    write_json(figures, {**content, "statistics_sha256": sha256(statistics), "figures": reference.record.evaluation})


def skip(why: str, statistics: Path, figures: Path) -> None:
    """Write, in place of statistics and figures, why a data set has none."""
    with written_aside(statistics) as aside:
        save_file({}, aside, {"skipped": why})
    write_json(figures, {"skipped": why})


def read(statistics: Path, figures: Path) -> Reference:
    """Read what `write` wrote.

    Raises:
        UserError: a file is missing or damaged.
    """
    again = "make it anew with `python -m pipeline_steps.reference`"
    path = figures
    try:
        content = json.loads(figures.read_text(encoding="utf-8"))
        record = parse(json.dumps(content["figures"]))
        path = statistics
        if sha256(statistics) != content["statistics_sha256"]:
            raise UserError(f"{statistics} is not the one that {figures} tells of; {again}.")
        tensors = load_file(statistics)
        real = Moments(int(tensors["count"]), tensors["mean"], tensors["covariance"], tensors.get("factor"))
        seen = ImageFeatures(real, tensors["rows"], tensors["labels"], tensors["sources"])
        return Reference(content["space"], seen, record, content["test_sha256"], content["drawn"])
    except FileNotFoundError as error:
        raise UserError(f"There is no {path}; {again}.") from error
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path} is damaged; {again}.") from error


def _put_conditions(record: Record, classifier: Classifier, test: Split, facts: Facts) -> None:
    """What the classifier makes of real test images, and where labels are dealt to other images."""
    seen = predict(classifier, torch.from_numpy(test.images)).numpy()
    how: dict[str, Any] = {"split": "test", "images": len(test.images), "judge": classifier.weights_sha256}
    definition = "Share of the labels of real test images that the classifier, set to balanced odds, gets right."
    record.put("classifier_accuracy", float((seen == test.labels).mean()), definition, **how)
    how["left_out"] = facts.missing_values(test.labels)
    definition = "Balanced accuracy of the classifier on real test images."
    ceiling = condition_accuracy(seen, test.labels, facts.label_names)
    record.put_mean("condition_accuracy_ceiling", ceiling, definition, **how)
    floor = chance(seen, test.labels, facts.label_names)
    definition = "Balanced accuracy of the classifier where labels are dealt to other images, in the mean of all deals."
    record.put_mean("condition_accuracy_floor", floor, definition, **how)


def _put_calibration(record: Record, classifier: Classifier, test: Split, facts: Facts) -> None:
    """How far the classifier's confidence in real test images is from its accuracy."""
    columns = zip(
        probabilities(classifier, torch.from_numpy(test.images)),
        test.labels.T,
        facts.label_names,
        strict=True,
    )
    by_label = {name: calibration_error(found.numpy(), labels) for found, labels, name in columns}
    definition = (
        "Mean gap between confidence and accuracy of the classifier as trained, before its odds are balanced, on real test "
        f"images, over {BINS} bins of confidence."
    )
    how: dict[str, Any] = {"split": "test", "images": len(test.images), "judge": classifier.weights_sha256}
    record.put_mean("classifier_calibration_error", by_label, definition, **how)
