"""What metrics of images see: real images with one defect at a time, in growing doses.

`python -m benchmarks.stress [ID]` reads the store and the classifier of a data set in data/, measures every metric of images in the
classifier's features, and the condition accuracy. It writes benchmarks/measured/stress.json, and table and plot of docs/metrics.md.

Held-out images are dealt at random to test images and samples, in pairs of like labels. A metric tells a dose if it leaves, in most
deals and on one side, the range of samples without a defect.
"""

import json
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import TypedDict

import click
import numpy as np
import torch
from sklearn.cluster import KMeans
from torch import Tensor

from benchmarks import stress_page
from benchmarks.defects import DEFECTS, Defect, Images, Setting
from benchmarks.race import MEASURED
from vaeline.data.facts import Facts
from vaeline.data.paths import DATA, DataFiles
from vaeline.data.store import read_facts, read_split
from vaeline.evaluation import classifier_file
from vaeline.evaluation.catalogue import catalogue, load, names_for
from vaeline.evaluation.classifier import Classifier, predict
from vaeline.evaluation.conditions import Accuracies, put_accuracy
from vaeline.evaluation.feature_space import Features
from vaeline.evaluation.features.classifier import ClassifierFeatures
from vaeline.evaluation.image_features import extract
from vaeline.evaluation.record import Record
from vaeline.metrics._images import ImageSet
from vaeline.metrics.condition_accuracy import condition_accuracy
from vaeline.metrics.frechet_distance import FewImages
from vaeline.system.devices import prepare_process
from vaeline.system.errors import UserError
from vaeline.system.evenly_spaced import evenly_spaced

RESULTS = MEASURED / "stress.json"
RANGE = (0.025, 0.5, 0.975)  # quantiles of what real images score: the range, and its middle
CLUSTERS = 10  # modes of images with attributes
MOST_TRAINING = 10_000  # training images that the bench knows

Scores = dict[str, float]  # metric -> value; metrics without a meaning are left out


class Response(TypedDict):
    """How a metric responds to the doses of a defect."""

    median: list[float]  # over deals, dose by dose
    below: list[float]  # share of deals under the range of real images
    above: list[float]


class Stress(TypedDict):
    """What was measured on a data set."""

    images: int  # samples, and test images
    deals: int
    real: dict[str, list[float]]  # metric -> lower end, median and upper end of what real images score
    doses: dict[str, list[float]]  # defect -> its doses
    responses: dict[str, dict[str, Response]]  # defect -> metric -> response


@dataclass(frozen=True)
class Subject:
    """A data set and what it is measured with."""

    facts: Facts
    classifier: Classifier
    features: Features
    train: Images
    train_features: np.ndarray
    held_out: Images  # validation and test images


class Remembered:
    """The features of a classifier; those of an image that was seen before are not computed again.

    Args:
        compute: the features of images, uint8 (n, channel, height, width): (n, dimensions).
    """

    def __init__(self, compute: Callable[[Tensor], Tensor]) -> None:
        self.compute = compute
        self.known: dict[bytes, Tensor] = {}

    def __call__(self, images: Tensor) -> Tensor:
        """Features of images, as `compute` gives them."""
        keys = [blake2b(image.tobytes(), digest_size=16).digest() for image in images.numpy()]
        new = {key: row for row, key in enumerate(keys) if key not in self.known}
        if new:
            self.known |= zip(new, self.compute(images[list(new.values())]), strict=True)
        return torch.stack([self.known[key] for key in keys])


@click.command()
@click.argument("dataset", default="digits")
@click.option("--data", default=DATA, show_default=True, type=click.Path(path_type=Path), help="Folder of the store.")
@click.option("--deals", default=40, show_default=True, help="Deals of held-out images to test images and samples.")
@click.option("--images", default=1000, show_default=True, help="At most so many samples, and as many test images.")
@click.option("--threads", default=1, show_default=True)
def main(dataset: str, data: Path, deals: int, images: int, threads: int) -> None:
    """Measure DATASET, the id of a study's data set, and write docs/metrics.md."""
    prepare_process(threads)
    warnings.simplefilter("ignore", FewImages)
    try:
        found = measure(subject_of(DataFiles(dataset, data)), deals, images)
    except UserError as error:
        raise click.ClickException(str(error)) from error
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    results[dataset] = found
    text = json.dumps(_rounded(results), separators=(",", ":")).replace('},"', '},\n"')  # a line for each response
    RESULTS.write_text(text + "\n")
    stress_page.write(results)


def subject_of(files: DataFiles) -> Subject:
    """Read a data set with its classifier, and extract the features of its training images.

    Raises:
        UserError: the store or the classifier is missing, holds points, or learned nothing.
    """
    facts = read_facts(files.store)
    if facts.points:
        raise UserError(f"{files.store} holds points; give a data set of images.")
    judges = classifier_file.of_images(facts, files.store.parent)
    judge = next(iter(judges.values()))
    if judge.skill.why_nothing:
        raise UserError(f"Distances in its features mean nothing, since {judge.skill.why_nothing}.")
    train, validation, test = (read_split(files.store, name) for name in ("train", "validation", "test"))
    rows = evenly_spaced(len(train.images), MOST_TRAINING)
    pixels, labels = train.images[rows], train.labels[rows]
    held_out = np.concatenate([validation.images, test.images])
    of_held_out = np.concatenate([validation.labels, test.labels])
    modes, modes_held_out = _modes(facts, pixels, labels, held_out, of_held_out)
    features = ClassifierFeatures(judges)  # of the first one
    return Subject(
        facts=facts,
        classifier=judge,
        features=features,
        train=Images(pixels, labels, modes),
        train_features=np.concatenate([features(batch).numpy() for batch in torch.from_numpy(pixels).split(500)]),
        held_out=Images(held_out, of_held_out, modes_held_out),
    )


def measure(subject: Subject, deals: int, most: int) -> Stress:
    """Measure every defect at every dose.

    Args:
        subject: the data set.
        deals: of held-out images to test images and samples.
        most: samples, and test images.
    """
    count, facts = min(len(subject.held_out.labels) // 2, most), subject.facts
    found: dict[tuple[str, float], list[Scores]] = {}
    forward = subject.classifier.forward
    for deal in range(deals):
        subject.classifier.forward = Remembered(forward)  # type: ignore[method-assign]
        test, drawn = _dealt(subject.held_out, count, deal)
        real = _test_images(subject, test)
        setting = Setting(subject.train, facts.levels, tuple(facts.label_cardinalities), deal)
        found.setdefault(("", 0.0), []).append(scores(subject, drawn, real))
        for defect, dose in _doses():
            found.setdefault((defect.name, dose), []).append(scores(subject, defect.apply(drawn, dose, setting), real))
        print(f"{facts.dataset_id}: deal {deal + 1} of {deals}", flush=True)
    return _summary(found, count, deals)


def _test_images(subject: Subject, test: Images) -> ImageSet:
    facts = subject.facts
    found = extract(subject.features, lambda: [test.pixels], test.labels, np.arange(len(test.labels)))
    label_values = dict(zip(facts.label_names, facts.label_values, strict=True))
    return replace(found, label_values=label_values, levels=facts.levels, train=subject.train_features)


def scores(subject: Subject, drawn: Images, real: ImageSet) -> Scores:
    """All metrics of samples, as an evaluation measures them."""
    facts, record = subject.facts, Record()
    found = extract(subject.features, lambda: [drawn.pixels], drawn.labels, np.arange(len(drawn.labels)))
    images = replace(found, levels=facts.levels)
    for file, metrics in catalogue().of_images(by_label=True).items():
        names = names_for(metrics, "sample", images.space)
        results = load(file).measure(images, real) if names else {}
        for key, name in names.items():
            record.put_result(name, results[key])
    seen, asked = predict(subject.classifier, drawn.pixels).numpy(), facts.judged(drawn.labels)
    accuracy = condition_accuracy(seen, asked, facts.label_names)
    skill = subject.classifier.skill
    put_accuracy(
        record, "condition_accuracy", Accuracies(accuracy), facts.missing_values(asked), skill, skill.unlearned
    )
    return {name: record.metrics[name] for name in catalogue().metrics if name in record.metrics}


def _doses() -> Iterator[tuple[Defect, float]]:
    return ((defect, dose) for defect in DEFECTS for dose in defect.doses)


def _modes(
    facts: Facts, train: np.ndarray, train_labels: np.ndarray, held_out: np.ndarray, labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The classes of training and of held-out images; their clusters, by pixels, if the labels are attributes."""
    if facts.classes:
        return train_labels[:, 0], labels[:, 0]
    flat = [each.reshape(len(each), -1).astype(np.float32) for each in (train, held_out)]
    clusters = KMeans(CLUSTERS, n_init=1, random_state=0).fit(flat[0][evenly_spaced(len(train), 5000)])
    return clusters.predict(flat[0]), clusters.predict(flat[1])


def _dealt(held_out: Images, count: int, seed: int) -> tuple[Images, Images]:
    """Deal images in pairs of like labels, neighbours if sorted by their labels: `count` to the test images and to the samples."""
    generator = np.random.default_rng(seed)
    order = np.lexsort([generator.random(len(held_out.labels)), *held_out.labels.T])
    pairs = generator.permuted(order[: len(order) // 2 * 2].reshape(-1, 2), axis=1)
    test, drawn = pairs[np.sort(generator.permutation(len(pairs))[:count])].T
    return held_out.take(test), held_out.take(drawn)


def _summary(found: dict[tuple[str, float], list[Scores]], count: int, deals: int) -> Stress:
    fresh = found["", 0.0]
    real = {name: np.quantile([each[name] for each in fresh if name in each], RANGE).tolist() for name in fresh[0]}
    return Stress(
        images=count,
        deals=deals,
        real=real,
        doses={defect.name: list(defect.doses) for defect in DEFECTS},
        responses={
            defect.name: {
                name: _response([found[defect.name, dose] for dose in defect.doses], name, ends)
                for name, ends in real.items()
            }
            for defect in DEFECTS
        },
    )


def _response(by_dose: list[list[Scores]], name: str, ends: list[float]) -> Response:
    """Compare the values of a metric, deal by deal, with the range of real images; a dash in a deal tells nothing."""
    low, middle, high = ends
    values = np.array([[each.get(name, middle) for each in of_dose] for of_dose in by_dose])  # (doses, deals)
    return Response(
        median=np.median(values, 1).tolist(),
        below=(values < low).mean(1).tolist(),
        above=(values > high).mean(1).tolist(),
    )


def _rounded(value: object) -> object:
    """Numbers with five significant digits."""
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_rounded(each) for each in value]
    return float(f"{value:.5g}") if isinstance(value, float) else value


if __name__ == "__main__":
    main()
