"""What the runs of a data set are held against: its real test images in a feature space, and figures that give scale."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file
from torch import Tensor

from vaeline.errors import UserError
from vaeline.features import classifier as classifiers
from vaeline.files import write_json, written_aside
from vaeline.metrics.calibration_error import BINS, calibration_error
from vaeline.metrics.condition_accuracy import chance, condition_accuracy
from vaeline.metrics.frechet import Moments, distance, moments
from vaeline.metrics.kernel_distance import kernel_distance
from vaeline.metrics.precision_recall import NEIGHBOURS, precision_recall
from vaeline.record import Record
from vaeline.store import Facts, Split

BATCH = 500
MOST_ROWS = 5000  # images of each kind that are compared pair by pair
MOST_DIRECTIONS = 10_000  # training images that span the pixel Gaussian; time and memory grow with them


class Features(Protocol):
    """A space in which images are compared."""

    prefix: str  # of Frechet distances: fd or fid
    kernel_prefix: str  # of kernel distances: kd or kid
    description: str
    weights: str  # SHA-256 of the file that its network came from

    def __call__(self, images: Tensor) -> Tensor: ...  # uint8 (n, channel, height, width) -> (n, dimensions)


@dataclass(frozen=True)
class Seen:
    """Images in a feature space."""

    moments: Moments  # of all of them
    rows: np.ndarray  # features of at most MOST_ROWS, spread evenly over them, float32 (images, dimensions)
    labels: np.ndarray  # of those rows, or what they were asked to have, int64 (images, columns)


@dataclass(frozen=True)
class Reference:
    """Real test images as `features` sees them, and the figures of a data set."""

    features: dict[str, str]  # description and weights
    seen: Seen
    record: Record


def measure(
    features: Features,
    classifier: classifiers.Classifier,
    train: Split,
    test: Split,
    facts: Facts,
    seed: int,
    drawn: int | None = None,
) -> Reference:
    """Measure the test split, and what the best and the worst of systems would score.

    Args:
        features: the space of the distances.
        classifier: judge of conditions.
        train: split that the best and the worst are taken from.
        test: split that everything is held against.
        facts: of their store.
        seed: of all that is random here.
        drawn: images that each system draws; None: as many as are in the test split.
    """
    count = min(drawn or len(test.images), len(test.images))
    known = Reference(
        _named(features), look(features, [test.images], test.labels), Record(checksums=facts.checksums, seed=seed)
    )
    chosen = evenly_spaced(len(train.images), count)
    floor = look(features, [train.images[chosen]], train.labels[chosen])
    put_distances(known.record, "floor", floor, f"{count} training images", features, known)
    put_neighbours(known.record, "_ceiling", floor, f"{count} training images", known)
    gaussian = look(features, pixel_gaussian(train.images, count, facts.levels, seed), np.zeros((count, 0), np.int64))
    subject = "samples of a Gaussian with the training pixels' mean and covariance"
    put_distances(known.record, "pixel_gaussian", gaussian, subject, features, known)
    seen = classifiers.predict(classifier, torch.from_numpy(test.images)).numpy()
    _put_conditions(known.record, seen, test, facts, seed)
    _put_calibration(known.record, classifier, test, facts)
    return known


def look(features: Features, blocks: Iterable[np.ndarray], labels: np.ndarray) -> Seen:
    """Look at images in one pass.

    Args:
        features: the space.
        blocks: the images, uint8 (any, channel, height, width).
        labels: of all of them, (images, columns).

    Raises:
        ValueError: a feature is not finite, or there are fewer than two images.
    """
    chosen, kept = evenly_spaced(len(labels), MOST_ROWS), []
    wanted = np.zeros(len(labels), bool)
    wanted[chosen] = True

    def passing() -> Iterator[np.ndarray]:
        start = 0
        for batch in _batches(features, blocks):
            kept.append(batch[wanted[start : start + len(batch)]])
            start += len(batch)
            yield batch

    of_all = moments(passing())
    return Seen(of_all, np.concatenate(kept), labels[chosen])


def put_distances(record: Record, of: str, seen: Seen, subject: str, features: Features, reference: Reference) -> None:
    """Note the Frechet and the kernel distance of images from the test split.

    Args:
        record: is added to.
        of: end of the figures' names.
        seen: the images.
        subject: what they are, for the definition.
        features: the space of the distances.
        reference: the test split in that space.
    """
    how: dict[str, Any] = {"split": "test", **reference.features}
    frechet, kernel = f"{features.prefix}_{of}", f"{features.kernel_prefix}_{of}"
    if not reference.seen.rows.var(0).any():
        for figure in (frechet, kernel):
            record.dash(figure, "the features of all test images are the same")
        return
    found, real = seen.moments, reference.seen.moments
    few = min(found.count, real.count) <= len(found.mean)
    warning = {"warning": f"estimated from no more images than the {len(found.mean)} dimensions: biased upwards"}
    record.put(
        frechet, distance(found, real), f"Frechet distance of {subject} from the test split.",
        images=found.count, of=real.count, **how, **(warning if few else {}),
    )  # fmt: skip
    if min(len(seen.rows), len(reference.seen.rows)) < 3:
        record.dash(kernel, "it needs at least 3 images of each kind")
        return
    between = kernel_distance(seen.rows, reference.seen.rows)
    counts = {"images": len(seen.rows), "of": len(reference.seen.rows)}
    definition = f"Kernel distance, unbiased, of {subject} from the test split."
    record.put(kernel, between.distance, definition, **counts, **how, standard_error=between.standard_error)
    definition = f"Standard error of {kernel} over images, by the jackknife."
    record.put(f"{kernel}_standard_error", between.standard_error, definition, **counts, **how)


def put_distances_by_label(record: Record, seen: Seen, features: Features, reference: Reference, facts: Facts) -> None:
    """Note the Frechet distance of samples asked to have a label from the test images that have it, label by label.

    A label of which there are no more samples or test images than dimensions is left out and named.
    """
    figure, real = f"{features.prefix}_sample_by_label", reference.seen
    found, few = {}, []
    for column, (name, values) in enumerate(zip(facts.label_names, facts.label_values, strict=True)):
        for value, word in enumerate(values):
            rows = [each.rows[each.labels[:, column] == value] for each in (seen, real)]
            if min(map(len, rows)) > real.rows.shape[1]:
                found[f"{name}={word}"] = distance(*(moments([each]) for each in rows))
            else:
                few.append(f"{name}={word}")
    if not found:
        record.dash(figure, f"of no label are there more images than the {real.rows.shape[1]} dimensions")
        return
    definition = (
        "Frechet distance of samples asked to have a label from the test images that have it, mean over labels."
    )
    how = {"split": "test", "images": len(seen.rows), "of": len(real.rows), **reference.features}
    left_out = {"left_out": few} if few else {}
    record.put(figure, float(np.mean(list(found.values()))), definition, **how, by_label=found, **left_out)


def put_neighbours(record: Record, ending: str, seen: Seen, subject: str, reference: Reference) -> None:
    """Note precision, recall, density and coverage of images beside the test split."""
    definitions = {
        "precision": f"Share of {subject} in the ball of a test image",
        "recall": f"Share of test images in the ball of one of {subject}",
        "density": f"Test images' balls around one of {subject}, in units of {NEIGHBOURS}",
        "coverage": f"Share of test images whose ball holds one of {subject}",
    }
    try:
        found = precision_recall(torch.from_numpy(reference.seen.rows), torch.from_numpy(seen.rows))
    except ValueError as error:
        for figure in definitions:
            record.dash(f"{figure}{ending}", str(error))
        return
    how = {"split": "test", "images": len(seen.rows), "of": len(reference.seen.rows), **reference.features}
    for figure, value in found._asdict().items():
        definition = f"{definitions[figure]}; a ball reaches to the {NEIGHBOURS}th nearest image of its own kind."
        record.put(f"{figure}{ending}", value, definition, **how)


def _named(features: Features) -> dict[str, str]:
    return {"features": features.description, "weights": features.weights}


def _batches(features: Features, blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """The features of blocks of images, (any, dimensions) each."""
    for block in blocks:
        for batch in torch.from_numpy(block).split(BATCH):
            yield features(batch).cpu().numpy()


def pixel_gaussian(images: np.ndarray, count: int, levels: int, seed: int) -> Iterator[np.ndarray]:
    """Sample a Gaussian with the mean and covariance of all pixels: blocks of uint8 images, clipped and rounded.

    A sample is mean + w (X - mean) / sqrt(n - 1) with standard normal w, (n,), and the training images X, (n, pixels):
    the covariance itself, 22,188 x 22,188 for faces, is never formed.

    Args:
        images: training split, uint8 (any, channel, height, width); 10,000 of them are used at most.
        count: samples.
        levels: of a pixel.
        seed: of the samples.
    """
    chosen = torch.from_numpy(images[evenly_spaced(len(images), MOST_DIRECTIONS)])
    rows, generator = chosen.flatten(1), torch.Generator().manual_seed(seed)
    mean = (torch.stack([block.double().sum(0) for block in rows.split(BATCH)]).sum(0) / len(rows)).float()
    for start in range(0, count, BATCH):
        weights = torch.randn(min(BATCH, count - start), len(rows), generator=generator) / sqrt(len(rows) - 1)
        samples = mean.repeat(len(weights), 1)
        for block, of_block in zip(rows.split(BATCH), weights.split(BATCH, 1), strict=True):
            samples.addmm_(of_block, block - mean)
        yield samples.round_().clamp_(0, levels - 1).to(torch.uint8).unflatten(1, chosen.shape[1:]).numpy()


def evenly_spaced(available: int, count: int | None) -> np.ndarray:
    """Rows spread evenly over a split: all of them, or `count` where there are more."""
    if count is None or count >= available:
        return np.arange(available)
    return np.linspace(0, available - 1, count).round().astype(np.int64)


def paths(store: Path, features: str) -> tuple[Path, Path]:
    """Where the moments and the figures of a store's data set lie."""
    return store.with_suffix(f".{features}.reference.safetensors"), store.with_suffix(f".{features}.json")


def write(reference: Reference, statistics: Path, figures: Path) -> None:
    """Write what was seen as safetensors and the figures as JSON."""
    seen = reference.seen
    tensors = {
        "count": np.array(seen.moments.count), "mean": seen.moments.mean, "covariance": seen.moments.covariance,
        "rows": seen.rows, "labels": seen.labels,
    }  # fmt: skip
    if seen.moments.factor is not None:
        tensors["factor"] = seen.moments.factor
    with written_aside(statistics) as aside:
        save_file(tensors, aside)
    record = reference.record
    write_json(figures, {"features": reference.features, "metrics": record.metrics, "evaluation": record.evaluation})


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
    path = statistics
    try:
        tensors = load_file(statistics)
        real = Moments(int(tensors["count"]), tensors["mean"], tensors["covariance"], tensors.get("factor"))
        seen = Seen(real, tensors["rows"], tensors["labels"])
        path = figures
        content = json.loads(figures.read_text(encoding="utf-8"))
        return Reference(content["features"], seen, Record(content["metrics"], content["evaluation"]))
    except FileNotFoundError as error:
        raise UserError(f"There is no {path}; {again}.") from error
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path} is damaged; {again}.") from error


def _put_conditions(record: Record, seen: np.ndarray, test: Split, facts: Facts, seed: int) -> None:
    """What the classifier makes of real test images, and where labels are dealt to other images."""
    how = {"split": "test", "images": len(test.images)}
    accuracy = float((seen == test.labels).mean())
    record.put(
        "classifier_accuracy",
        accuracy,
        "Share of the labels of real test images that the classifier, set to balanced odds, gets right.",
        **how,
    )
    put_accuracy(
        record,
        "condition_accuracy_ceiling",
        condition_accuracy(seen, test.labels, facts.label_names),
        "Balanced accuracy of the classifier on real test images.",
        **how,
    )
    floor = chance(seen, test.labels, facts.label_names, np.random.default_rng(seed))
    put_accuracy(
        record,
        "condition_accuracy_floor",
        floor,
        "Balanced accuracy of the classifier where labels are dealt to other images.",
        **how,
    )


def _put_calibration(record: Record, classifier: classifiers.Classifier, test: Split, facts: Facts) -> None:
    """How far the classifier's confidence in real test images is from its accuracy."""
    columns = zip(
        classifiers.probabilities(classifier, torch.from_numpy(test.images)),
        test.labels.T,
        facts.label_names,
        strict=True,
    )
    by_label = {name: calibration_error(found.numpy(), labels) for found, labels, name in columns}
    definition = f"Mean gap between the classifier's confidence and accuracy on real test images, over {BINS} bins of confidence."
    put_accuracy(record, "classifier_calibration_error", by_label, definition, split="test", images=len(test.images))


def put_accuracy(record: Record, figure: str, by_label: dict[str, float], definition: str, **how: Any) -> None:
    """Note the mean accuracy over labels, and each label's own where there are several."""
    if not by_label:
        record.dash(figure, "no label has two values in the test split")
        return
    several = {"by_label": by_label} if len(by_label) > 1 else {}
    record.put(figure, float(np.mean(list(by_label.values()))), definition, **how, **several)
