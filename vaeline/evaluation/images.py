"""Image metrics of a run: how far its images are from real ones, and whether they show the labels they were asked to show."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from vaeline.data.facts import Facts
from vaeline.data.on_demand import Images, blocks
from vaeline.evaluation import halves, image_features, reference, reference_file
from vaeline.evaluation.catalogue import catalogue, load, names_for
from vaeline.evaluation.classifier import Classifier
from vaeline.evaluation.conditions import measure_conditions, noise_of
from vaeline.evaluation.feature_space import Features
from vaeline.evaluation.halves import with_halves
from vaeline.evaluation.kept import Kept
from vaeline.evaluation.metric_results import as_state, checked, from_state
from vaeline.evaluation.over_judges import over_judges
from vaeline.evaluation.record import NO_LABELS, Record
from vaeline.evaluation.reference import Reference, References, weights_of
from vaeline.metrics._entry import Metric, Subject
from vaeline.metrics._images import Dash, ImageSet, Measured
from vaeline.runs import redrawing
from vaeline.runs.samples_file import DrawnImages, Redrawn
from vaeline.study import parts
from vaeline.system.state_files import State

NO_LOW_POSTERIOR = "the density of the aggregate posterior is not known, or not at every draw"


@dataclass(frozen=True)
class Judges:
    """What the images of a run are measured with.

    Args:
        features: the space of the distances, or one for each classifier.
        references: the test images in these spaces.
        classifiers: they measure condition accuracy, by their names as judges; none for images without labels.
        facts: of the store.
        by_label: whether distances are measured label by label too.
    """

    features: Features
    references: References
    classifiers: Mapping[str, Classifier]
    facts: Facts
    by_label: bool = False


@dataclass(frozen=True)
class Judge:
    """One judge, as far as it compares images in its space.

    Args:
        name: of the judge; NO_JUDGE if the space is the same for all judges.
        features: the space.
        reference: the test images in that space.
        facts: of the store.
        test: SHA-256 of the test split.
    """

    name: str
    features: Features
    reference: Reference
    facts: Facts
    test: str

    def named(self, section: str) -> str:
        """The name of a section of kept results, which other judges do not replace."""
        return f"{section}-judge-{self.name}" if self.name else section


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
    kept = kept or Kept()
    facts, references = judges.facts, judges.references
    drawn.require(facts)
    references.require(judges.features, weights_of(judges.classifiers), facts, len(drawn.samples))
    spaces = [
        Judge(name, space, references.spaces[name], facts, references.data["test"])
        for name, space in judges.features.by_judge().items()
    ]
    of_space = kept.called_by(__name__, reference.__name__, reference_file.__name__)
    in_features, in_pixels = _by_features(catalogue().of_images(judges.by_label))
    record = over_judges({each.name: _in_space(drawn, each, in_features, conditional, of_space) for each in spaces})
    record.join(_in_space(drawn, spaces[0], in_pixels, conditional, of_space))
    record.join(measure_conditions(drawn, judges.classifiers, facts, conditional, kept))
    return record


def _by_features(of_images: Mapping[str, list[Metric]]) -> tuple[dict[str, list[Metric]], dict[str, list[Metric]]]:
    """The metrics that use features, and those that are the same in all spaces, by their files."""
    return (
        {file: metrics for file, metrics in of_images.items() if metrics[0].features},
        {file: metrics for file, metrics in of_images.items() if not metrics[0].features},
    )


def _in_space(
    drawn: DrawnImages, judge: Judge, asked: Mapping[str, list[Metric]], conditional: bool, kept: Kept
) -> Record:
    """Compare what a run drew with the real test images in one space."""
    record = Record(checksums=judge.facts.checksums, seed=drawn.seed)
    images = _extractor(drawn, judge, kept)
    for file, metrics in asked.items():
        for subject in _subjects(metrics):
            names = names_for(metrics, subject, judge.features.prefix)
            if not names:
                continue
            nothing = judge.features.says_nothing if metrics[0].features else ""
            if why := _why_not(metrics[0], subject, drawn, conditional) or nothing:
                record.dash_each(names.values(), why)
                continue
            for key, result in _results(file, subject, images, judge, kept).items():
                if key in names:
                    space = judge.reference.space if metrics[0].features else {}
                    noise = {} if subject == "reconstruction" else noise_of(drawn)
                    record.put_result(names[key], result, split="test", **space, **noise)
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


def _extractor(drawn: DrawnImages, judge: Judge, kept: Kept) -> Callable[[Subject], ImageSet]:
    """A function that extracts the features of what a run drew, each subject once, and only if a metric asks for it."""
    features, unlabelled = judge.features, np.zeros((len(drawn.samples), 0), np.int64)
    all_of: dict[str, tuple[Images | Redrawn, np.ndarray, np.ndarray]] = {
        "reconstruction": (drawn.reconstructions, unlabelled, drawn.test_index),
        "sample": (drawn.samples, drawn.labels, drawn.test_index),
    }
    if drawn.low_posterior is not None:
        all_of["low_posterior"] = (drawn.low_posterior, unlabelled, np.full(len(drawn.low_posterior), -1))

    @cache
    def images(subject: Subject) -> ImageSet:
        pixels, labels, test_index = all_of[subject]
        code = [image_features.__name__, *([redrawing.__name__] if isinstance(pixels, Redrawn) else [])]
        section = kept.section(judge.named(f"features-{subject}"), code, space=judge.reference.space)

        def extract() -> State:
            extracted = image_features.extract(features, lambda: blocks(pixels), labels[: len(pixels)], test_index)
            return dict(image_features.to_state(extracted))

        found = image_features.from_state(kept.result(section, extract), lambda: blocks(pixels), features.prefix)
        return replace(found, levels=judge.facts.levels)

    return images


def _results(
    file: str, subject: Subject, images: Callable[[Subject], ImageSet], judge: Judge, kept: Kept
) -> dict[str, Measured | Dash]:
    """What a file of metrics says of one subject, kept as numbers."""
    known, code = judge.reference, [parts.module_name("metrics", file), image_features.__name__, halves.__name__]
    settings = {"subject": subject, "space": known.space, "test": judge.test, "real": known.tensors_sha256}
    section = kept.section(judge.named(f"{file}-{subject}"), code, **settings)

    def measure() -> State:
        try:
            found = load(file).measure(images(subject), known.real)
        except ValueError as error:
            return {"dash": str(error)}
        found = with_halves(load(file), checked(file, found), images(subject), known.real)
        return {"results": {key: as_state(result) for key, result in found.items()}}

    state = kept.result(section, measure)
    if "dash" in state:
        keys = {metric.key or metric.name for metric in catalogue().of_images(True)[file]}
        return dict.fromkeys(keys, Dash(state["dash"]))
    return {key: from_state(result) for key, result in state["results"].items()}
