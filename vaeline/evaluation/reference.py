"""The reference of a data set: its real test images in a feature space, and the numbers that give metrics their scale."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from math import sqrt
from pathlib import Path

import numpy as np
import torch

from vaeline.data.evenly_spaced import evenly_spaced
from vaeline.data.facts import Facts
from vaeline.data.on_demand import BATCH, Images, OnDemand, blocks
from vaeline.data.store import Split, SplitOnDemand
from vaeline.evaluation.catalogue import catalogue, load, names_for
from vaeline.evaluation.classifier import Classifier
from vaeline.evaluation.conditions import measure_conditions_of_real_images
from vaeline.evaluation.feature_space import Features
from vaeline.evaluation.halves import with_halves
from vaeline.evaluation.image_features import extract, features_of, from_state, image_set, to_state
from vaeline.evaluation.matched import Matched, averaged, match
from vaeline.evaluation.over_judges import over_judges
from vaeline.evaluation.record import Record
from vaeline.evaluation.reference_numbers import METRICS, METRICS_SHA256, STATISTICS_SHA256, read_numbers
from vaeline.evaluation.shared_files import AGAIN
from vaeline.metrics._entry import Subject
from vaeline.metrics._images import MOST_NUMBERS, MOST_ROWS, ImageSet, Measured, Results
from vaeline.study.schema import Study
from vaeline.study.step_settings import require_settings, settings_of
from vaeline.system.errors import UserError, reading_ours
from vaeline.system.files import json_sha256, sha256
from vaeline.system.sealed_files import write_sealed
from vaeline.system.tensor_files import checksum, joined, parted, read_tensors, write_tensors

LINEAR = (
    "the features are linear in the pixels, so that a Gaussian of the pixels has their mean and covariance by itself"
)
MEASURED = ("train", "validation", "test")  # the splits that are measured
MOST_DIRECTIONS = 10_000  # training images that span the pixel Gaussian; time and memory grow with them


@dataclass(frozen=True)
class Reference:
    """The test images of a data set in a feature space, and the numbers of the space."""

    space: dict[str, str]  # description and weights of the features
    real: ImageSet  # the test images
    record: Record  # floors, ceilings and other references; empty if they were read from a file, which has means over judges
    says_nothing: str = ""  # why distances in the space mean nothing; empty if they do mean something
    linear: bool = False  # whether the features are a linear map of the pixels
    tensors_sha256: str = ""  # of the features of the test images; empty if they were not read from a file


@dataclass(frozen=True)
class References:
    """The references of a data set under all judges."""

    spaces: Mapping[str, Reference]  # judge -> reference; one, called NO_JUDGE, if the space is the same for all judges
    record: Record  # floors, ceilings and other references, means over judges
    judges: Mapping[str, str]  # judge -> SHA-256 of its weights
    data: Mapping[str, str]  # SHA-256 of the splits as preprocessed
    drawn: int  # images that a system draws, and that the references are measured of

    def require(self, features: Features, judges: Mapping[str, str], facts: Facts, drawn: int) -> None:
        """Refuse to compare images of another space, classifier, data set or number.

        Args:
            features: the space of the run.
            judges: of the run, each with the SHA-256 of its weights.
            facts: of the store of the run.
            drawn: images that the run drew.

        Raises:
            UserError: says what differs.
        """
        again = AGAIN["reference"]
        if dict(self.judges) != dict(judges):
            raise UserError(f"The reference was measured with another classifier than that of this run; {again}.")
        ours, theirs = (
            {judge: each.space for judge, each in self.spaces.items()},
            {judge: named(each) for judge, each in features.by_judge().items()},
        )
        if ours != theirs:
            raise UserError(f"The reference was measured with {ours}, but this run with {theirs}; {again}.")
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
        asked: rows of the test images whose labels samples are asked to show, in ascending order.
        validation: split of new images in place of samples; None if there is none.
    """

    train: Split | SplitOnDemand
    test: Split | SplitOnDemand
    facts: Facts
    asked: np.ndarray
    validation: Split | SplitOnDemand | None = None

    @property
    def count(self) -> int:
        """Images that each system draws."""
        return len(self.asked)


def measure(
    features: Features,
    classifiers: Mapping[str, Classifier],
    images: RealImages,
    seed: int,
    by_label: bool = False,
) -> References:
    """Measure the test images, and what the best and the worst of systems would score.

    Args:
        features: the space of the distances.
        classifiers: they measure condition accuracy, by their names as judges; none for images without labels.
        images: the real images.
        seed: of the subsets of training images, and of the samples of the pixel Gaussian.
        by_label: whether distances are measured label by label too.
    """
    facts = images.facts
    spaces = {judge: _in_space(space, images, seed, by_label) for judge, space in features.by_judge().items()}
    record = over_judges({judge: each.record for judge, each in spaces.items()})
    record.join(measure_conditions_of_real_images(classifiers, images.test, facts, seed))
    data = {name: facts.checksums.get(name, "") for name in MEASURED}
    return References(spaces, record, weights_of(classifiers), data, images.count)


def weights_of(classifiers: Mapping[str, Classifier]) -> dict[str, str]:
    """The SHA-256 of the weights of each judge."""
    return {judge: classifier.weights_sha256 for judge, classifier in classifiers.items()}


def _in_space(features: Features, images: RealImages, seed: int, by_label: bool) -> Reference:
    facts, test = images.facts, images.test
    found = extract(features, lambda: blocks(test.images), test.labels, np.arange(len(test.images)))
    train = _training_features(features, images.train, found.features.shape[1])
    real = replace(found, label_values=_label_values(facts), levels=facts.levels, train=train)
    reference = Reference(
        named(features), real, Record(checksums=facts.checksums, seed=seed), features.says_nothing, features.linear
    )
    matched = match(test.labels[images.asked], images.train.labels, seed)
    floors, gaussian = _floors(features, images, matched, seed), _pixel_gaussian(features, images, seed)
    put_image_metrics(reference, floors, "floor", by_label, matched.shared)
    put_image_metrics(reference, [gaussian], "pixel_gaussian", by_label)
    if images.validation is not None:
        held_out = _held_out(features, images.validation, images.count)
        put_image_metrics(reference, [held_out], "held_out", by_label)
    return reference


def _floors(features: Features, images: RealImages, matched: Matched, seed: int) -> Iterator[ImageSet]:
    """Subsets of training images; the features of each image are extracted once."""
    pool, of_train = matched.pool, images.train
    extracted = features_of(features, lambda: blocks(of_train.images, pool), len(pool))
    test_index = images.asked[matched.asked]
    for rows in matched.subsets(seed):
        found = extracted[np.searchsorted(pool, rows)]
        yield image_set(features, found, partial(blocks, of_train.images, rows), of_train.labels[rows], test_index)


def _pixel_gaussian(features: Features, images: RealImages, seed: int) -> ImageSet:
    """Samples of the pixel Gaussian, as many as a system draws."""
    count, levels = images.count, images.facts.levels
    unlabelled = np.zeros((count, 0), np.int64)
    return extract(features, lambda: pixel_gaussian(images.train.images, count, levels, seed), unlabelled)


def _held_out(features: Features, validation: Split | SplitOnDemand, count: int) -> ImageSet:
    """New images, at most as many as a system draws."""
    rows = evenly_spaced(len(validation.images), count)
    return extract(features, lambda: blocks(validation.images, rows), validation.labels[rows])


def _training_features(features: Features, train: Split | SplitOnDemand, dimensions: int) -> np.ndarray:
    """The features of training images, float32, (any, dimensions): of MOST_ROWS, or of more if they have few dimensions."""
    rows = evenly_spaced(len(train.images), max(MOST_ROWS, MOST_NUMBERS // dimensions))
    return features_of(features, lambda: blocks(train.images, rows), len(rows))


def put_image_metrics(
    reference: Reference, sets: Iterable[ImageSet], subject: Subject, by_label: bool, shared: float = 0.0
) -> None:
    """Record all that metrics of images say of images that give scale.

    Args:
        reference: to add to.
        sets: one set of images, or several whose results are averaged.
        subject: of the images.
        by_label: whether distances are measured label by label too.
        shared: the share of its images that a set has in common with another one.
    """
    space, of_images = reference.real.space, catalogue().of_images(by_label)
    files = {file: names for file, metrics in of_images.items() if (names := names_for(metrics, subject, space))}
    in_features = {file for file in files if of_images[file][0].features}
    dashes = dict.fromkeys(in_features, reference.says_nothing) if reference.says_nothing else {}
    if reference.linear and subject == "pixel_gaussian":
        dashes.setdefault("frechet_distance", LINEAR)
    results = _results_of(sets, files.keys() - dashes.keys(), reference.real, shared)
    for file, names in files.items():
        found = dashes.get(file) or results[file]
        if isinstance(found, str):
            reference.record.dash_each(names.values(), found)
            continue
        for key, result in found.items():
            if key in names:
                named_space = reference.space if file in in_features else {}
                reference.record.put_result(names[key], result, split="test", **named_space)


def _results_of(
    sets: Iterable[ImageSet], files: Iterable[str], real: ImageSet, shared: float
) -> dict[str, Results | str]:
    """What each file of metrics says of sets of images: the mean over sets, or why it has no value."""
    found: dict[str, list[Results]] = {file: [] for file in files}
    dashes: dict[str, str] = {}
    for each in sets:
        images = replace(each, levels=real.levels)
        for file in found.keys() - dashes.keys():
            try:
                found[file].append(load(file).measure(images, real))
            except ValueError as error:
                dashes[file] = str(error)
    results = {file: of for file, of in found.items() if file not in dashes}
    means = {
        file: averaged(of, shared) if len(of) > 1 else _with_error(file, of[0], images, real)
        for file, of in results.items()
    }
    return {**means, **dashes}


def _with_error(file: str, results: Results, images: ImageSet, real: ImageSet) -> Results:
    """Results of a single set of images, which have no spread; if they have no standard error either, they get `halves`."""
    if all(isinstance(each, Measured) and each.standard_error is not None for each in results.values()):
        return results
    return with_halves(load(file), results, images, real)


def pixel_gaussian(images: Images, count: int, levels: int, seed: int) -> Iterator[np.ndarray]:
    """Sample a Gaussian with the mean and covariance of all pixels: blocks of uint8 images, clipped and rounded.

    A sample is mean + w (X - mean) / sqrt(n - 1) with standard normal w, (n,), and the training images X, (n, pixels):
    the covariance itself, 22,188 x 22,188 for faces, is never formed.

    Args:
        images: training split, uint8 (any, channel, height, width); 10,000 of them are used at most.
        count: samples.
        levels: of a pixel.
        seed: of the samples.
    """
    rows, generator = evenly_spaced(len(images), MOST_DIRECTIONS), torch.Generator().manual_seed(seed)
    used: Images = images.select(rows) if isinstance(images, OnDemand) else images[rows]

    def pixels() -> Iterator[torch.Tensor]:
        return (torch.from_numpy(block).flatten(1) for block in blocks(used))

    mean = (torch.stack([block.double().sum(0) for block in pixels()]).sum(0) / len(rows)).float()
    for start in range(0, count, BATCH):
        weights = torch.randn(min(BATCH, count - start), len(rows), generator=generator) / sqrt(len(rows) - 1)
        samples, place = mean.repeat(len(weights), 1), 0
        for block in pixels():
            samples.addmm_(weights[:, place : place + len(block)], block - mean)
            place += len(block)
        yield samples.round_().clamp_(0, levels - 1).to(torch.uint8).unflatten(1, images.shape[1:]).numpy()


def write(references: References, statistics: Path, numbers: Path, study: Study) -> None:
    """Write the features of the test images as safetensors and the numbers as JSON. Each file names the other."""
    spaces = references.spaces
    about = {
        "data": dict(references.data),
        "drawn": references.drawn,
        "judges": dict(references.judges),
        "prefixes": {judge: each.real.space for judge, each in spaces.items()},
        "settings": settings_of(study, "reference"),
        "spaces": {judge: each.space for judge, each in spaces.items()},
    }
    metrics, tensors = (
        references.record.evaluation,
        joined({judge: to_state(each.real) for judge, each in spaces.items()}),
    )
    write_tensors(statistics, tensors, {**about, METRICS_SHA256: json_sha256(metrics)})
    write_sealed(numbers, {**about, STATISTICS_SHA256: sha256(statistics), METRICS: metrics})


def skip(why: str, statistics: Path, numbers: Path, study: Study) -> None:
    """Write why a data set has no reference."""
    about = {"skipped": why, "settings": settings_of(study, "reference")}
    write_tensors(statistics, {}, about)
    write_sealed(numbers, about)


def read(statistics: Path, numbers: Path, test: Images, facts: Facts, study: Study) -> References:
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
    require_settings(statistics, about.get("settings", {}), settings_of(study, "reference"), AGAIN["reference"])
    with reading_ours(statistics, AGAIN["reference"]):
        tensors, spaces = parted(file.tensors), {}
        for judge, space in about["spaces"].items():
            real = from_state(tensors[judge], lambda: blocks(test), about["prefixes"][judge])
            real = replace(real, label_values=_label_values(facts))
            spaces[judge] = Reference(space, real, Record(), tensors_sha256=checksum(tensors[judge]))
        return References(spaces, record, about["judges"], about["data"], about["drawn"])


def _label_values(facts: Facts) -> dict[str, list[str]]:
    return dict(zip(facts.label_names, facts.label_values, strict=True))
