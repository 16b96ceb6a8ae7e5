"""How well images show the labels that were asked for: accuracies under each classifier, of samples and of real images."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from vaeline.data.facts import Facts
from vaeline.data.store import Split, SplitOnDemand
from vaeline.evaluation import halves
from vaeline.evaluation.catalogue import catalogue
from vaeline.evaluation.classifier import Classifier, predict, probabilities
from vaeline.evaluation.kept import Kept
from vaeline.evaluation.over_judges import over_judges
from vaeline.evaluation.record import NO_LABELS, UNLABELLED, Record
from vaeline.evaluation.skill import Skill
from vaeline.metrics import _shares, condition_accuracy, held_out_accuracy
from vaeline.metrics._calibration_error import calibration_error
from vaeline.runs.samples_file import DrawnImages
from vaeline.system.state_files import State

OF_LABELS = ("condition_accuracy", "held_out_accuracy")  # the metrics that a judge measures


class Accuracies(NamedTuple):
    """Accuracies of labels, or of combinations of labels."""

    values: Mapping[str, float]
    # Of each: half its difference on pairs of halves of the images, (pairs,).
    halves: Mapping[str, Sequence[float]] = {}

    def halves_of_mean(self, names: Sequence[str]) -> dict[str, object]:
        """`halves` of the mean over some of them, as evaluation.json has them; nothing if they are not known."""
        known = [self.halves[name] for name in names if name in self.halves]
        if not known or len(known) < len(names):
            return {}
        return {"halves": [halves.rounded(value) for value in np.mean(known, 0)]}


def measure_conditions(
    drawn: DrawnImages, classifiers: Mapping[str, Classifier], facts: Facts, conditional: bool, kept: Kept | None = None
) -> Record:
    """The share of requested labels that each classifier sees in the samples, and the mean over classifiers.

    Args:
        drawn: what the run drew.
        classifiers: by their names as judges; none for images without labels.
        facts: of the store.
        conditional: whether the run was given labels.
        kept: results of earlier evaluations of the run.
    """
    kept = (kept or Kept()).called_by(__name__)
    if not classifiers:
        record = Record(checksums=facts.checksums, seed=drawn.seed)
        record.dash_each(OF_LABELS, UNLABELLED)
        return record
    asked = facts.judged(drawn.labels)
    unlearned, missing = unlearned_by_any(classifiers), facts.missing_values(asked)
    records = {}
    for name, classifier in classifiers.items():
        record = records[name] = Record(checksums=facts.checksums, seed=drawn.seed)
        if not conditional:
            record.dash_each(OF_LABELS, NO_LABELS)
            continue
        accuracies, held_out = _kept_accuracies(name, classifier, drawn, asked, facts, kept)
        how: dict[str, object] = {"split": "test", "images": len(drawn.samples), "judge": classifier.weights_sha256}
        how |= noise_of(drawn)
        if unseen := facts.unseen_in_words(drawn.labels, "samples"):
            how["warning"] = unseen
        put_accuracy(record, "condition_accuracy", accuracies, missing, classifier.skill, unlearned, **how)
        put_held_out(record, "held_out_accuracy", held_out, facts, classifier.skill, unlearned, **how)
    return over_judges(records)


def measure_conditions_of_real_images(
    classifiers: Mapping[str, Classifier], test: Split | SplitOnDemand, facts: Facts, seed: int
) -> Record:
    """What the classifiers see in real test images: the references of condition accuracies.

    Args:
        classifiers: by their names as judges; none for images without labels.
        test: split.
        facts: of the store.
        seed: of the reference.
    """
    unlearned, records = unlearned_by_any(classifiers), {}
    for judge, classifier in classifiers.items():
        records[judge] = Record(checksums=facts.checksums, seed=seed)
        _put_real(records[judge], classifier, test, facts, unlearned)
        _put_calibration(records[judge], classifier, test, facts)
    if records:
        return over_judges(records)
    record = Record()
    record.dash_each((each.name for name in OF_LABELS for each in catalogue().metric(name).references), UNLABELLED)
    return record


def unlearned_by_any(classifiers: Mapping[str, Classifier]) -> list[str]:
    """The labels that some judge was not shown to tell: all judges measure the same labels.

    A judge that learned nothing makes dashes, and takes no label from the others.
    """
    skills = [each.skill for each in classifiers.values()]
    return list(dict.fromkeys(label for skill in skills if not skill.why_nothing for label in skill.unlearned))


def noise_of(drawn: DrawnImages) -> dict[str, str]:
    """How metrics of samples say that these have the noise of p(x|z); means are the rule, and are not mentioned."""
    return {} if drawn.noise == "mean" else {"noise": drawn.noise}


def _kept_accuracies(
    judge: str, classifier: Classifier, drawn: DrawnImages, asked: np.ndarray, facts: Facts, kept: Kept
) -> tuple[Accuracies, Accuracies]:
    """Of samples, by label and by held-out combination; they are kept as numbers."""
    modules = (predict.__module__, halves.__name__)
    measures = (_shares.__name__, condition_accuracy.__name__, held_out_accuracy.__name__)
    settings = {"judge": classifier.weights_sha256, "names": facts.label_names, "held_out": facts.held_out}
    section = kept.section(f"labels-judge-{judge}", [*modules, *measures], **settings)

    def measure() -> State:
        seen = predict(classifier, drawn.samples).numpy()
        both = _by_label(seen, asked, facts), _by_combination(seen, drawn.labels, facts)
        return {"by_label": tuple(both[0]), "held_out": tuple(both[1])}

    found = kept.result(section, measure)
    return Accuracies(*found["by_label"]), Accuracies(*found["held_out"])


def _by_label(seen: np.ndarray, asked: np.ndarray, facts: Facts) -> Accuracies:
    """Balanced accuracies, by label.

    Args:
        seen: values that the classifier sees, (images, columns).
        asked: values that were asked for, of the same shape; -1 for those that do not count.
        facts: of the store.
    """
    values = condition_accuracy.condition_accuracy(seen, asked, facts.label_names)
    columns = {name: facts.label_names.index(name) for name in values}
    met = {name: (seen[:, column] == asked[:, column], asked[:, column]) for name, column in columns.items()}
    return Accuracies(values, _halves(met, len(seen)))


def _by_combination(seen: np.ndarray, asked: np.ndarray, facts: Facts) -> Accuracies:
    """Accuracies of held-out combinations of labels; arguments as in `_by_label`, but that all values count."""
    values = held_out_accuracy.held_out_accuracy(seen, asked, facts.held_out_codes)
    codes = {name: facts.held_out_codes[name] for name in values}
    shown, wanted = (
        {name: (of[:, list(each)] == list(each.values())).all(1) for name, each in codes.items()}
        for of in (seen, asked)
    )
    return Accuracies(values, _halves({name: (shown[name], wanted[name] - 1) for name in values}, len(seen)))


def _halves(met: Mapping[str, tuple[np.ndarray, np.ndarray]], images: int) -> dict[str, list[float]]:
    """For each mean of shares, half its difference on each pair of halves.

    Args:
        met: whether each image met its request, and its group, as in `_shares.deviations`.
        images: how many there are.
    """
    pairs = halves.random_halves(images) if met else np.zeros((0, images), bool)
    return {name: _shares.deviations(*each, pairs).tolist() for name, each in met.items()}


def _put_real(
    record: Record, classifier: Classifier, test: Split | SplitOnDemand, facts: Facts, unlearned: Sequence[str]
) -> None:
    """Record what the classifier sees in real test images, and its accuracy if labels are assigned to other images."""
    seen = predict(classifier, test.images).numpy()
    how: dict[str, object] = {"split": "test", "images": len(test.images), "judge": classifier.weights_sha256}
    known = facts.learnable(test.labels) >= 0
    if known.any():
        record.put("classifier_accuracy", float((seen == test.labels)[known].mean()), **how)
    else:
        record.dash("classifier_accuracy", "no test image has a label that the classifier could learn")
    judged = facts.judged(test.labels)
    missing, floor = facts.missing_values(judged), condition_accuracy.chance(seen, judged, facts.label_names)
    for name, found in (("ceiling", _by_label(seen, judged, facts)), ("floor", Accuracies(floor))):
        put_accuracy(record, f"condition_accuracy_{name}", found, missing, classifier.skill, unlearned, **how)
    held_out = _by_combination(seen, test.labels, facts)
    put_held_out(record, "held_out_accuracy_ceiling", held_out, facts, classifier.skill, unlearned, **how)


def put_accuracy(
    record: Record,
    name: str,
    found: Accuracies,
    missing: Sequence[str],
    skill: Skill,
    unlearned: Sequence[str],
    **how: object,
) -> None:
    """Record an accuracy of the labels that all judges were shown to tell; the others are left out by name.

    Args:
        record: to add to.
        name: of the metric.
        found: accuracy of each label.
        missing: values that too few images have.
        skill: of the classifier.
        unlearned: labels that some judge was not shown to tell.
        how: as in `Record.put`.
    """
    by_label = found.values
    unlearned = [*unlearned, *(label for label in by_label if label not in skill.labels)]
    learned = {label: value for label, value in by_label.items() if label not in unlearned}
    if why := skill.why_nothing:
        record.dash(name, why)
    elif by_label and not learned:
        who = "not every classifier was" if by_label.keys() - set(skill.unlearned) else "the classifier was not"
        record.dash(name, f"{who} shown to be better than chance on {', '.join(by_label)}")
    else:
        how |= {**found.halves_of_mean(list(learned)), **({"unlearned": unlearned} if unlearned else {})}
        record.put_mean(name, learned, [*missing, *unlearned], **how)


def put_held_out(
    record: Record, name: str, found: Accuracies, facts: Facts, skill: Skill, unlearned: Sequence[str], **how: object
) -> None:
    """Record the accuracy of the held-out combinations whose labels every judge was shown to tell.

    Args:
        record: to add to.
        name: of the metric.
        found: accuracy of each combination that was asked for, by the names in the facts.
        facts: of the store.
        skill: of the classifier.
        unlearned: labels that some judge was not shown to tell.
        how: as in `Record.put`.
    """
    if not facts.held_out:
        record.dash(name, "dataset.split.held_out names no combination of labels")
        return
    if why := skill.why_nothing:
        record.dash(name, why)
        return
    unlearned = [*unlearned, *(label for label in facts.label_names if label not in skill.labels)]
    named = zip(facts.held_out_codes, facts.held_out, strict=True)
    judged = {words for words, combination in named if not set(combination) & set(unlearned)}
    left_out = [words for words in facts.held_out_codes if words not in judged or words not in found.values]
    shares = {words: share for words, share in found.values.items() if words in judged}
    if not shares:
        record.dash(name, _why_no_combination(left_out, judged))
        return
    record.put_mean(name, shares, left_out, **how, **found.halves_of_mean(list(shares)))


def _why_no_combination(asked: Sequence[str], judged: Collection[str]) -> str:
    """Why no held-out combination has an accuracy.

    Args:
        asked: all combinations, in words.
        judged: those whose labels all judges were shown to tell.
    """
    reasons = {
        "no image is asked for": [words for words in asked if words in judged],
        "not every classifier was shown to tell the labels of": [words for words in asked if words not in judged],
    }
    return ", and ".join(f"{why} {', '.join(those)}" for why, those in reasons.items() if those)


def _put_calibration(record: Record, classifier: Classifier, test: Split | SplitOnDemand, facts: Facts) -> None:
    """Record how far the classifier's confidence in real test images is from its accuracy."""
    found = probabilities(classifier, test.images)
    columns = zip(found, test.labels.T, facts.label_names, strict=True)
    by_label = {name: calibration_error(each.numpy(), labels) for each, labels, name in columns}
    how: dict[str, object] = {"split": "test", "images": len(test.images), "judge": classifier.weights_sha256}
    record.put_mean("classifier_calibration_error", by_label, (), **how)
