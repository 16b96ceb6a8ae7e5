"""The reference of a data set: its real test images in a feature space, and the numbers that give metrics their scale."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt
from pathlib import Path

import numpy as np
import torch

from vaeline.data.batches import evenly_spaced
from vaeline.data.facts import Facts
from vaeline.data.on_disk import OnDisk
from vaeline.data.store import Split, SplitOnDisk
from vaeline.evaluation.catalogue import catalogue, load, names_for
from vaeline.evaluation.classifier import Classifier, predict, probabilities
from vaeline.evaluation.feature_space import Features
from vaeline.evaluation.image_features import extract, from_state, to_state
from vaeline.evaluation.record import Record
from vaeline.evaluation.reference_numbers import METRICS, METRICS_SHA256, STATISTICS_SHA256, read_numbers
from vaeline.evaluation.shared_files import AGAIN
from vaeline.evaluation.skill import Skill
from vaeline.metrics._calibration_error import calibration_error
from vaeline.metrics._entry import Subject
from vaeline.metrics._images import MOST_NUMBERS, MOST_ROWS, ImageSet
from vaeline.metrics.condition_accuracy import chance, condition_accuracy
from vaeline.study.schema import Study
from vaeline.study.step_settings import require_settings, settings_of
from vaeline.system.errors import UserError, reading_ours
from vaeline.system.files import json_sha256, sha256
from vaeline.system.sealed_files import write_sealed
from vaeline.system.tensor_files import checksum, read_tensors, write_tensors

BATCH = 500
MEASURED = ("train", "validation", "test")  # the splits that are measured
MOST_DIRECTIONS = 10_000  # training images that span the pixel Gaussian; time and memory grow with them


@dataclass(frozen=True)
class Reference:
    """The test images of a data set in a feature space, and the numbers of the data set."""

    space: dict[str, str]  # description and weights of the features
    real: ImageSet  # the test images
    record: Record  # floors, ceilings and other references
    data: Mapping[str, str]  # SHA-256 of the train and test splits as preprocessed
    drawn: int  # images that a system draws, and that the references are measured of
    judge: str = ""  # SHA-256 of the classifier
    says_nothing: str = ""  # why distances in the space mean nothing; empty if they do mean something
    tensors_sha256: str = ""  # of the features of the test images; empty if they were not read from a file

    def require(self, features: Features, judge: str, facts: Facts, drawn: int) -> None:
        """Refuse to compare images of another space, classifier, data set or number.

        Args:
            features: the space of the run.
            judge: SHA-256 of the classifier of the run.
            facts: of the store of the run.
            drawn: images that the run drew.

        Raises:
            UserError: says what differs.
        """
        again = AGAIN["reference"]
        if self.space != named(features):
            raise UserError(
                f"The reference was measured with {self.space}, but this run with {named(features)}; {again}."
            )
        if self.judge != judge:
            raise UserError(f"The reference was measured with another classifier than that of this run; {again}.")
        if differ := [name for name in MEASURED if self.data.get(name, "") != facts.checksums.get(name, "")]:
            raise UserError(f"The reference is of another {differ[0]} split than that of {facts.dataset_id}; {again}.")
        if self.drawn != drawn:
            raise UserError(
                f"The run drew {drawn:,} images, but the reference was measured of {self.drawn:,}; {again}, or draw as many."
            )


def named(features: Features) -> dict[str, str]:
    """What a metric says of the space that it was measured in."""
    return {"features": features.description, "weights": features.weights_sha256}


@dataclass(frozen=True)
class RealImages:
    """The real images that a reference is measured of.

    Args:
        train: split that floors and the pixel Gaussian are taken from.
        test: split that everything is compared with.
        facts: of their store.
        drawn: images that each system draws; None for as many as there are test images.
        validation: split of new images in place of samples; None if there is none.
    """

    train: Split | SplitOnDisk
    test: Split
    facts: Facts
    drawn: int | None = None
    validation: Split | SplitOnDisk | None = None

    @property
    def count(self) -> int:
        """Images that floors are measured of."""
        return min(self.drawn or len(self.test.images), len(self.test.images))


def measure(
    features: Features, classifier: Classifier, images: RealImages, seed: int, by_label: bool = False
) -> Reference:
    """Measure the test images, and what the best and the worst of systems would score.

    Args:
        features: the space of the distances.
        classifier: it measures condition accuracy.
        images: the real images.
        seed: of the samples of the pixel Gaussian.
        by_label: whether distances are measured label by label too.
    """
    facts, test = images.facts, images.test
    record = Record(checksums=facts.checksums, seed=seed)
    found = extract(features, lambda: [test.images], test.labels, np.arange(len(test.images)))
    train = _training_features(features, images.train, found.features.shape[1])
    real = replace(found, label_values=_label_values(facts), levels=facts.levels, train=train)
    data = {name: facts.checksums.get(name, "") for name in MEASURED}
    reference = Reference(
        named(features), real, record, data, images.count, classifier.weights_sha256, features.says_nothing
    )
    for subject, found in _images_for_scale(features, images, seed):
        put_image_metrics(reference, replace(found, levels=facts.levels), subject, by_label)
    _put_conditions(record, classifier, test, facts)
    _put_calibration(record, classifier, test, facts)
    return reference


def _images_for_scale(features: Features, images: RealImages, seed: int) -> Iterator[tuple[Subject, ImageSet]]:
    """Training images, and samples of the pixel Gaussian, as many as a system draws."""
    train, count = images.train, images.count
    chosen = evenly_spaced(len(train.images), count)
    floor = train.images.take(chosen, axis=0)
    yield "floor", extract(features, lambda: [floor], train.labels[chosen])
    unlabelled = np.zeros((count, 0), np.int64)
    levels = images.facts.levels
    yield "pixel_gaussian", extract(features, lambda: pixel_gaussian(train.images, count, levels, seed), unlabelled)
    if images.validation is not None:
        chosen = evenly_spaced(len(images.validation.images), count)
        held_out = images.validation.images.take(chosen, axis=0)
        yield "held_out", extract(features, lambda: [held_out], images.validation.labels[chosen])


def _training_features(features: Features, train: Split | SplitOnDisk, dimensions: int) -> np.ndarray:
    """The features of training images, float32, (any, dimensions): of MOST_ROWS, or of more if they have few dimensions."""
    rows = evenly_spaced(len(train.images), max(MOST_ROWS, MOST_NUMBERS // dimensions))
    blocks = np.array_split(rows, -(-len(rows) // BATCH))
    found = [features(torch.from_numpy(train.images.take(block, axis=0))).cpu().numpy() for block in blocks]
    return np.concatenate(found)


def put_image_metrics(reference: Reference, images: ImageSet, subject: Subject, by_label: bool) -> None:
    """Record all that metrics of images say of images that give scale."""
    for file, metrics in catalogue().of_images(by_label).items():
        names = names_for(metrics, subject, images.space)
        if not names:
            continue
        if reference.says_nothing and metrics[0].features:
            reference.record.dash_each(names.values(), reference.says_nothing)
            continue
        try:
            results = load(file).measure(images, reference.real)
        except ValueError as error:
            reference.record.dash_each(names.values(), str(error))
            continue
        for key, name in names.items():
            space = reference.space if metrics[0].features else {}
            reference.record.put_result(name, results[key], split="test", **space)


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


def write(reference: Reference, statistics: Path, numbers: Path, study: Study) -> None:
    """Write the features of the test images as safetensors and the numbers as JSON. Each file names the other."""
    about = {
        "data": dict(reference.data),
        "drawn": reference.drawn,
        "judge": reference.judge,
        "prefix": reference.real.space,
        "settings": settings_of(study, "reference"),
        "space": reference.space,
    }
    metrics = reference.record.evaluation
    write_tensors(statistics, to_state(reference.real), {**about, METRICS_SHA256: json_sha256(metrics)})
    write_sealed(numbers, {**about, STATISTICS_SHA256: sha256(statistics), METRICS: metrics})


def skip(why: str, statistics: Path, numbers: Path, study: Study) -> None:
    """Write why a data set has no reference."""
    about = {"skipped": why, "settings": settings_of(study, "reference")}
    write_tensors(statistics, {}, about)
    write_sealed(numbers, about)


def read(statistics: Path, numbers: Path, test: np.ndarray, facts: Facts, study: Study) -> Reference:
    """Read what `write` wrote.

    Args:
        statistics: file of features.
        numbers: file of numbers.
        test: the test images, uint8 (n, channel, height, width).
        facts: of their store.
        study: whose settings the reference must have been measured with.

    Raises:
        UserError: a file is missing, damaged, or of other settings, or the two were not written together.
    """
    record, content = read_numbers(numbers)
    file = read_tensors(statistics, AGAIN["reference"])
    about, measured = file.about, json_sha256(content.get(METRICS, {}))
    if content.get(STATISTICS_SHA256) != file.sha256 or about.pop(METRICS_SHA256, "") != measured:
        raise UserError(f"{statistics} is not the file that {numbers} was written with; {AGAIN['reference']}.")
    require_settings(study, "reference", statistics, about.get("settings", {}))
    with reading_ours(statistics, AGAIN["reference"]):
        real = replace(from_state(file.tensors, lambda: [test], about["prefix"]), label_values=_label_values(facts))
        given = {name: about[name] for name in ("space", "data", "drawn", "judge")}
        return Reference(**given, real=real, record=record, tensors_sha256=checksum(file.tensors))


def _label_values(facts: Facts) -> dict[str, list[str]]:
    return dict(zip(facts.label_names, facts.label_values, strict=True))


def _put_conditions(record: Record, classifier: Classifier, test: Split, facts: Facts) -> None:
    """Record what the classifier sees in real test images, and its accuracy if labels are assigned to other images."""
    seen = predict(classifier, torch.from_numpy(test.images)).numpy()
    how: dict[str, object] = {"split": "test", "images": len(test.images), "judge": classifier.weights_sha256}
    known = facts.learnable(test.labels) >= 0
    if known.any():
        record.put("classifier_accuracy", float((seen == test.labels)[known].mean()), **how)
    else:
        record.dash("classifier_accuracy", "no test image has a label that the classifier could learn")
    judged = facts.judged(test.labels)
    missing = facts.missing_values(judged)
    for name, accuracy in (("ceiling", condition_accuracy), ("floor", chance)):
        by_label = accuracy(seen, judged, facts.label_names)
        put_accuracy(record, f"condition_accuracy_{name}", by_label, missing, classifier.skill, **how)


def put_accuracy(
    record: Record, name: str, by_label: Mapping[str, float], missing: Sequence[str], skill: Skill, **how: object
) -> None:
    """Record an accuracy of the labels that the classifier was shown to tell; the others are left out by name.

    Args:
        record: to add to.
        name: of the metric.
        by_label: accuracy of each label.
        missing: values that too few images have.
        skill: of the classifier.
        how: as in `Record.put`.
    """
    unlearned = [*skill.unlearned, *(label for label in by_label if label not in skill.labels)]
    learned = {label: value for label, value in by_label.items() if label not in unlearned}
    if why := skill.why_nothing:
        record.dash(name, why)
    elif by_label and not learned:
        record.dash(name, f"the classifier was not shown to be better than chance on {', '.join(by_label)}")
    else:
        record.put_mean(name, learned, [*missing, *unlearned], **how, **({"unlearned": unlearned} if unlearned else {}))


def _put_calibration(record: Record, classifier: Classifier, test: Split, facts: Facts) -> None:
    """Record how far the classifier's confidence in real test images is from its accuracy."""
    found = probabilities(classifier, torch.from_numpy(test.images))
    columns = zip(found, test.labels.T, facts.label_names, strict=True)
    by_label = {name: calibration_error(each.numpy(), labels) for each, labels, name in columns}
    how: dict[str, object] = {"split": "test", "images": len(test.images), "judge": classifier.weights_sha256}
    record.put_mean("classifier_calibration_error", by_label, (), **how)
