"""Image metrics of a run: how far its images are from real ones, and whether they show the labels they were asked to show."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import torch

from vaeline.data.facts import Facts
from vaeline.evaluation import halves, image_features, reference
from vaeline.evaluation.catalogue import PACKAGE, catalogue, load, names_for
from vaeline.evaluation.classifier import Classifier, predict
from vaeline.evaluation.feature_space import Features
from vaeline.evaluation.halves import with_halves
from vaeline.evaluation.kept import Kept
from vaeline.evaluation.record import NO_LABELS, Record
from vaeline.evaluation.reference import Reference, put_accuracy
from vaeline.metrics import condition_accuracy
from vaeline.metrics._entry import Metric, Subject
from vaeline.metrics._images import Dash, ImageSet, Measured
from vaeline.runs.samples_file import DrawnImages
from vaeline.system.errors import UserError
from vaeline.system.state_files import State

NO_LOW_POSTERIOR = "the density of the aggregate posterior is not known, or not at every draw"


@dataclass(frozen=True)
class Judges:
    """What the images of a run are measured with.

    Args:
        features: the space of the distances.
        reference: the test images in that space.
        classifier: it measures condition accuracy.
        facts: of the store.
        by_label: whether distances are measured label by label too.
    """

    features: Features
    reference: Reference
    classifier: Classifier
    facts: Facts
    by_label: bool = False


def measure_images(drawn: DrawnImages, judges: Judges, conditional: bool, kept: Kept | None = None) -> Record:
    """Compare what a run drew with the real test images, and its samples with the labels they were asked to show.

    Args:
        drawn: what the run drew.
        judges: what it is measured with.
        conditional: whether the run was given labels.
        kept: results of earlier evaluations of the run.

    Raises:
        UserError: the images have another shape or range than the test images, or the reference is of another space, of
            other images, or of another number of samples.
    """
    kept = (kept or Kept()).called_by(__name__, reference.__name__)
    drawn.require(judges.facts)
    judges.reference.require(judges.features, judges.classifier.weights_sha256, judges.facts, len(drawn.samples))
    record = Record(checksums=judges.facts.checksums, seed=drawn.seed)
    images = _extractor(drawn, judges, kept)
    for file, metrics in catalogue().of_images(judges.by_label).items():
        for subject in _subjects(metrics):
            names = names_for(metrics, subject, judges.features.prefix)
            if not names:
                continue
            nothing = judges.features.says_nothing if metrics[0].features else ""
            if why := _why_not(metrics[0], subject, drawn, conditional) or nothing:
                record.dash_each(names.values(), why)
                continue
            for key, result in _results(file, subject, images, judges, kept).items():
                if key in names:
                    space = judges.reference.space if metrics[0].features else {}
                    record.put_result(names[key], result, split="test", **space)
    _put_accuracy(record, drawn, judges, conditional, kept)
    return record


def dash_images(record: Record, space: str, why: str, by_label: bool = False) -> None:
    """Record why metrics of images have no meaning for a data set, those of one feature space and those of none."""
    for name, metric in catalogue().metrics.items():
        asked = metric.setting != "by_label" or by_label
        if (
            "points" not in metric.data
            and (metric.subject or metric.needs_labels)
            and metric.space in ("", space)
            and asked
        ):
            record.dash(name, why)


def _subjects(metrics: list[Metric]) -> list[Subject]:
    return list(dict.fromkeys(metric.subject for metric in metrics if metric.subject))


def _why_not(metric: Metric, subject: Subject, drawn: DrawnImages, conditional: bool) -> str:
    if metric.needs_labels and not conditional:
        return NO_LABELS
    return NO_LOW_POSTERIOR if subject == "low_posterior" and drawn.low_posterior is None else ""


def _extractor(drawn: DrawnImages, judges: Judges, kept: Kept) -> Callable[[Subject], ImageSet]:
    """A function that extracts the features of what a run drew, each subject once, and only if a metric asks for it."""
    features, unlabelled = judges.features, np.zeros((len(drawn.samples), 0), np.int64)
    all_of: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]] = {
        "reconstruction": (drawn.reconstructions, unlabelled, drawn.test_index),
        "sample": (drawn.samples, drawn.labels, drawn.test_index),
    }
    if drawn.low_posterior is not None:
        all_of["low_posterior"] = (drawn.low_posterior, unlabelled, np.full(len(drawn.low_posterior), -1))

    @cache
    def images(subject: Subject) -> ImageSet:
        pixels, labels, test_index = all_of[subject]
        section = kept.section(f"features-{subject}", [image_features.__name__], space=judges.reference.space)

        def extract() -> State:
            extracted = image_features.extract(features, lambda: [pixels], labels[: len(pixels)], test_index)
            return dict(image_features.to_state(extracted))

        found = image_features.from_state(kept.result(section, extract), lambda: [pixels], features.prefix)
        return replace(found, levels=judges.facts.levels)

    return images


def _results(
    file: str, subject: Subject, images: Callable[[Subject], ImageSet], judges: Judges, kept: Kept
) -> dict[str, Measured | Dash]:
    """What a file of metrics says of one subject, kept as numbers."""
    known, code = judges.reference, [f"{PACKAGE}.{file}", image_features.__name__, halves.__name__]
    settings = {"subject": subject, "space": known.space, "test": known.data["test"], "real": known.tensors_sha256}
    section = kept.section(f"{file}-{subject}", code, **settings)

    def measure() -> State:
        try:
            found = load(file).measure(images(subject), known.real)
        except ValueError as error:
            return {"dash": str(error)}
        _check_results(file, found)
        found = with_halves(load(file).measure, found, images(subject), known.real)
        return {"results": {key: _as_state(result) for key, result in found.items()}}

    state = kept.result(section, measure)
    if "dash" in state:
        keys = {metric.key or metric.name for metric in catalogue().of_images(True)[file]}
        return dict.fromkeys(keys, Dash(state["dash"]))
    return {key: _from_state(result) for key, result in state["results"].items()}


def _check_results(file: str, found: object) -> None:
    """Check what `measure` of a file returned.

    Raises:
        UserError: a result is missing, or is no number.
    """
    expected = sorted({metric.key or metric.name for metric in catalogue().of_images(True)[file]})
    if not isinstance(found, Mapping) or not found.keys() >= set(expected):
        came = sorted(found) if isinstance(found, Mapping) else found
        raise UserError(
            f"measure in vaeline/metrics/{file}.py returned {came!r:.200}; its entries need results called {expected}."
        )
    for key, result in found.items():
        if not isinstance(result, float | int | Measured | Dash):
            raise UserError(
                f"measure in vaeline/metrics/{file}.py returned {result!r:.80} for {key}; a result is a number, Measured or Dash."
            )


def _as_state(result: float | Measured | Dash) -> State:
    if isinstance(result, Dash):
        return {"dash": result.reason}
    measured = result if isinstance(result, Measured) else Measured(float(result))
    return {"value": measured.value, "how": dict(measured.how), "standard_error": measured.standard_error}


def _from_state(state: State) -> Measured | Dash:
    return Dash(state["dash"]) if "dash" in state else Measured(**state)


def _put_accuracy(record: Record, drawn: DrawnImages, judges: Judges, conditional: bool, kept: Kept) -> None:
    if not conditional:
        record.dash("condition_accuracy", NO_LABELS)
        return
    judge, facts = judges.classifier, judges.facts
    asked = facts.judged(drawn.labels)
    section = kept.section(
        "labels", [predict.__module__, condition_accuracy.__name__], judge=judge.weights_sha256, names=facts.label_names
    )

    def accuracy() -> State:
        seen = predict(judge, torch.from_numpy(drawn.samples)).numpy()
        return {"by_label": condition_accuracy.condition_accuracy(seen, asked, facts.label_names)}

    by_label = kept.result(section, accuracy)["by_label"]
    how: dict[str, object] = {"split": "test", "images": len(drawn.samples), "judge": judge.weights_sha256}
    if unseen := facts.unseen_in_words(drawn.labels, "samples"):
        how["warning"] = unseen
    put_accuracy(record, "condition_accuracy", by_label, facts.missing_values(asked), judge.skill, **how)
