"""Measurement of a reference: the test images in a feature space, and what the best and the worst of systems would score."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from vaeline.data.facts import Facts
from vaeline.data.on_demand import blocks
from vaeline.data.store import Split, SplitOnDemand
from vaeline.evaluation import pixel_gaussian
from vaeline.evaluation.catalogue import catalogue, load, names_for
from vaeline.evaluation.classifier import Classifier
from vaeline.evaluation.conditions import measure_conditions_of_real_images
from vaeline.evaluation.feature_space import Features
from vaeline.evaluation.halves import with_halves
from vaeline.evaluation.image_features import extract, features_of, image_set
from vaeline.evaluation.matched import Matched, averaged, match
from vaeline.evaluation.metric_results import checked
from vaeline.evaluation.over_judges import over_judges
from vaeline.evaluation.record import Record
from vaeline.evaluation.reference import MEASURED, Reference, References, named, weights_of
from vaeline.metrics._entry import Subject
from vaeline.metrics._images import MOST_NUMBERS, MOST_ROWS, ImageSet, Measured, Results
from vaeline.system.evenly_spaced import evenly_spaced

LINEAR = (
    "the features are linear in the pixels, so that a Gaussian of the pixels has their mean and covariance by itself"
)


@dataclass(frozen=True)
class SplitsToMeasure:
    """The real images that a reference is measured of.

    Args:
        train: split that floors and the pixel Gaussian are taken from.
        test: split that everything is compared with.
        facts: of their store.
        asked: rows of the test images whose labels samples are asked to show, in ascending order.
        validation: split of new images in place of samples, or None.
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
    images: SplitsToMeasure,
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
    return References(spaces, record, weights_of(classifiers), facts.checksums_of(MEASURED), images.count)


def _in_space(features: Features, images: SplitsToMeasure, seed: int, by_label: bool) -> Reference:
    facts, test = images.facts, images.test
    found = extract(features, lambda: blocks(test.images), test.labels, np.arange(len(test.images)))
    train = _training_features(features, images.train, found.features.shape[1])
    real = replace(found, label_values=facts.values_of_labels, levels=facts.levels, train=train)
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


def _floors(features: Features, images: SplitsToMeasure, matched: Matched, seed: int) -> Iterator[ImageSet]:
    """Subsets of training images; the features of each image are extracted once."""
    pool, of_train = matched.pool, images.train
    extracted = features_of(features, lambda: blocks(of_train.images, pool), len(pool))
    test_index = images.asked[matched.asked]
    for rows in matched.subsets(seed):
        found = extracted[np.searchsorted(pool, rows)]
        yield image_set(features, found, partial(blocks, of_train.images, rows), of_train.labels[rows], test_index)


def _pixel_gaussian(features: Features, images: SplitsToMeasure, seed: int) -> ImageSet:
    """Samples of the pixel Gaussian, as many as a system draws."""
    count, levels = images.count, images.facts.levels
    unlabelled = np.zeros((count, 0), np.int64)
    return extract(features, lambda: pixel_gaussian.samples_of(images.train.images, count, levels, seed), unlabelled)


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
                measured = load(file).measure(images, real)
            except ValueError as error:
                dashes[file] = str(error)
            else:
                found[file].append(checked(file, measured))
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
