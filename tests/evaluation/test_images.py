"""Metrics of samples, for images and labels that are known."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from tests import made_up
from vaeline.data.facts import Facts
from vaeline.evaluation.catalogue import catalogue
from vaeline.evaluation.feature_space import NO_JUDGE
from vaeline.evaluation.halves import PAIRS, random_halves, with_halves
from vaeline.evaluation.image_features import extract
from vaeline.evaluation.images import Judges, measure_images
from vaeline.evaluation.record import Record
from vaeline.evaluation.reference import Reference, References, named
from vaeline.evaluation.reference_measurement import put_image_metrics
from vaeline.evaluation.skill import LabelSkill, Skill
from vaeline.metrics import precision_recall
from vaeline.metrics._images import ImageMetric, ImageSet, Measured, Results
from vaeline.metrics.condition_accuracy import balanced_accuracy
from vaeline.metrics.kernel_distance import kernel_distance
from vaeline.report.comparability import differing_keys, in_words
from vaeline.runs.samples_file import DrawnImages
from vaeline.system.errors import UserError

FACTS = Facts(
    "tiny", (1, 2, 2), 17, (-1.0, 1.0), ["digit"], [["0", "1", "2"]], checksums={"test": "ab12", "train": "cd34"}
)
LABELS, ROWS = np.arange(60) % 3, np.arange(60)


class Corner:
    """A feature space that is also a classifier: it reads the pixels."""

    prefix, description, weights_sha256 = "fd", "pixels", "none"
    says_nothing, skill, log_frequency, name = "", made_up.learned("digit"), torch.zeros(1), NO_JUDGE

    def __call__(self, images: Tensor) -> Tensor:
        return images.flatten(1).float()

    def predict(self, images: Tensor) -> Tensor:
        return images[:, 0, 0, :1].long()

    def by_judge(self) -> dict[str, "Corner"]:
        return {self.name: self}


def images_of(corner: np.ndarray) -> np.ndarray:
    images = np.random.default_rng(0).integers(0, 17, (len(corner), 1, 2, 2), dtype=np.uint8)
    images[:, 0, 0, 0] = corner
    return images


@pytest.fixture
def reference() -> References:
    record = Record()
    record.put("fd_floor", 1.5)
    test = images_of(LABELS)
    train = np.random.default_rng(1).integers(0, 17, (80, 4)).astype(np.float32)
    real = replace(
        extract(Corner(), lambda: [test], LABELS[:, None], ROWS), label_values={"digit": ["0", "1", "2"]}, train=train
    )
    return References({NO_JUDGE: Reference(named(Corner()), real, record)}, record, {"0": "none"}, FACTS.checksums, 60)


def measure(drawn: DrawnImages, reference: References, conditional: bool = True, by_label: bool = False) -> Record:
    judges = Judges(Corner(), reference, {"0": Corner()}, FACTS, by_label)  # type: ignore[arg-type, dict-item]
    return measure_images(drawn, judges, conditional)


def test_the_test_images_are_at_distance_zero_from_themselves(reference: References) -> None:
    drawn = DrawnImages(images_of(LABELS), images_of(2 - LABELS) // 2, LABELS[:, None], ROWS, None, 5)
    record = measure(drawn, reference)
    assert record.metrics["fd_reconstruction"] == pytest.approx(0, abs=1e-9)
    assert record.metrics["fd_sample"] > 10
    assert "fd_floor" not in record.metrics and "fd_sample" not in reference.record.metrics


def test_kernels_of_an_image_with_its_source_are_excluded(reference: References) -> None:
    """The samples are of the first 30 test images in another order; partners are found by row."""
    order = np.random.default_rng(3).permutation(60)[:30]
    made, real = images_of(LABELS)[order], images_of(LABELS)
    real_rows = real.reshape(60, 4).astype(np.float32)
    drawn = DrawnImages(made, made, LABELS[order, None], order, None, 5)
    known = replace(reference, drawn=30)
    record = measure(drawn, known)
    expected = kernel_distance(real_rows[order], real_rows, order).distance
    assert expected != kernel_distance(real_rows[order], real_rows, np.full(30, -1)).distance
    for name in ("kd_reconstruction", "kd_sample"):
        assert record.metrics[name] == pytest.approx(expected), name


def test_samples_that_show_the_requested_labels_are_accurate(reference: References) -> None:
    for shown, accuracy in ((LABELS, 1.0), (LABELS * 0, 1 / 3), ((LABELS + 1) % 3, 0.0)):
        drawn = DrawnImages(images_of(LABELS), images_of(shown), LABELS[:, None], ROWS, None, 5)
        record = measure(drawn, reference)
        assert record.metrics["condition_accuracy"] == pytest.approx(accuracy)


def test_a_model_without_labels_has_no_condition_accuracy(reference: References) -> None:
    drawn = DrawnImages(images_of(LABELS), images_of(LABELS), np.zeros((60, 1), np.int64), ROWS, None, 5)
    record = measure(drawn, reference, conditional=False)
    assert "condition_accuracy" not in record.metrics
    assert record.evaluation["condition_accuracy"] == {"dash": "the system is given no labels"}


def test_metrics_of_samples_say_that_these_have_noise(reference: References) -> None:
    drawn = DrawnImages(images_of(LABELS), images_of(LABELS), LABELS[:, None], ROWS, images_of(LABELS), 5)
    assert not [how for how in measure(drawn, reference).evaluation.values() if "noise" in how]
    found = measure(replace(drawn, noise="drawn"), reference).evaluation
    said = {name for name, how in found.items() if how.get("noise") == "drawn"}
    assert {"fd_sample", "fd_low_posterior", "kd_sample", "precision", "condition_accuracy"} <= said
    assert "fd_reconstruction" in found and not [name for name in said if "reconstruction" in name]
    differing = differing_keys([{"noise": "drawn"}, {}])
    assert differing == ["noise"] and "mean" in in_words(dict.fromkeys(differing))


def test_every_drawn_metric_says_its_images_seed_and_judge(
    reference: References,
) -> None:
    drawn = DrawnImages(images_of(LABELS), images_of(LABELS), LABELS[:, None], ROWS, images_of(LABELS), 5)
    record = measure(drawn, reference)
    assert record.evaluation.pop("held_out_accuracy")["dash"].startswith("dataset.split.held_out names no combination")
    for name, how in record.evaluation.items():
        assert {"split": "test", "split_sha256": "ab12", "seed": 5, "images": 60}.items() <= how.items(), name
        assert how.get("weights", how.get("judge")) == "none", name
    assert record.metrics["fd_low_posterior"] == pytest.approx(0, abs=1e-9)


def test_every_metric_in_features_says_how_it_deviates_on_halves(reference: References) -> None:
    drawn = DrawnImages(images_of(LABELS), images_of(2 - LABELS), LABELS[:, None], ROWS, images_of(LABELS), 5)
    record = measure(drawn, reference)
    for name in (*("fd_sample", "kd_sample", "fd_low_posterior", "kd_reconstruction"), *("precision", "coverage")):
        assert len(record.evaluation[name]["halves"]) == PAIRS, name
    error = record.evaluation["kd_sample_standard_error"]
    assert error["value"] > 0 and "halves" not in error


def test_accuracies_deviate_on_the_halves_of_the_other_metrics(reference: References, two_judges: Judges) -> None:
    """On each pair of halves, the difference of the accuracies that a metric of images would have; the mean over judges too."""
    shown = np.random.default_rng(4).integers(0, 3, 60)
    drawn = DrawnImages(images_of(LABELS), images_of(shown), LABELS[:, None], ROWS, None, 5)
    found = measure(drawn, reference).evaluation["condition_accuracy"]
    real = reference.spaces[NO_JUDGE].real
    samples = replace(real, features=images_of(shown).reshape(60, 4))

    def accuracy(images: ImageSet, real: ImageSet) -> Results:
        return {"accuracy": balanced_accuracy(images.features[:, 0], real.labels[:, 0])}

    result = with_halves(ImageMetric(accuracy), accuracy(samples, real), samples, real)["accuracy"]
    assert isinstance(result, Measured) and result.value == found["value"]
    assert len(found["halves"]) == PAIRS and np.corrcoef(found["halves"], result.how["halves"])[0, 1] > 0.9  # type: ignore[call-overload]
    both = measure_images(drawn, two_judges, conditional=True).evaluation["condition_accuracy"]
    assert len(both["halves"]) == PAIRS and both["halves"] != found["halves"]


def test_held_out_accuracy_deviates_as_the_share_of_its_images_does(reference: References) -> None:
    shown = np.where(ROWS < 30, LABELS, 0)
    drawn = DrawnImages(images_of(LABELS), images_of(shown), LABELS[:, None], ROWS, None, 5)
    judges = Judges(Corner(), reference, {"0": Corner()}, replace(FACTS, held_out=[{"digit": "1"}, {"digit": "2"}]))  # type: ignore[arg-type, dict-item]
    found = measure_images(drawn, judges, conditional=True).evaluation["held_out_accuracy"]
    met = np.where(LABELS > 0, (shown == LABELS) - 0.5, 0) / 20 / 2  # of each combination, a half of its 20 images
    expected = np.where(random_halves(60), 1, -1) @ met
    assert found["value"] == 0.5 and found["halves"] == pytest.approx(expected, rel=1e-4)


def test_a_label_that_was_never_requested_is_named(reference: References) -> None:
    asked = LABELS % 2
    drawn = DrawnImages(images_of(asked), images_of(asked), asked[:, None], ROWS, None, 5)
    record = measure(drawn, reference)
    assert record.evaluation["condition_accuracy"]["left_out"] == ["digit=2"]


def test_a_label_value_of_few_requests_or_training_images_does_not_count(reference: References) -> None:
    """One request of 60 that is not met would take a sixth of the accuracy, or a half if it were one of two values."""
    asked = np.where(ROWS == 0, 2, LABELS % 2)
    shown = np.where(ROWS == 0, 0, asked)
    drawn = DrawnImages(images_of(asked), images_of(shown), asked[:, None], ROWS, None, 5)
    found = measure(drawn, reference).evaluation["condition_accuracy"]
    assert (found["value"], found["left_out"]) == (1, ["digit=2"])
    drawn = DrawnImages(images_of(LABELS), images_of(np.minimum(LABELS, 1)), LABELS[:, None], ROWS, None, 5)
    for count, value in ((4, 1), (5, 2 / 3)):
        facts = replace(FACTS, training_counts=[[20, 20, count]])
        judges = Judges(Corner(), reference, {"0": Corner()}, facts)  # type: ignore[arg-type, dict-item]
        assert measure_images(drawn, judges, conditional=True).metrics["condition_accuracy"] == pytest.approx(value)


def test_distances_by_label_are_measured_on_request(reference: References) -> None:
    for shown, near in ((LABELS, True), ((LABELS + 1) % 3, False)):
        drawn = DrawnImages(images_of(LABELS), images_of(shown), LABELS[:, None], ROWS, None, 5)
        record = measure(drawn, reference, by_label=True)
        assert (record.metrics["fd_sample_by_label"] < 1e-6) == near
        assert set(record.evaluation["fd_sample_by_label"]["by_label"]) == {"digit=0", "digit=1", "digit=2"}
    assert record.metrics["fd_sample"] > 0


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"spaces": {"": Reference({"features": "other", "weights": "a"}, None, Record())}},
            "measured with features of other, and this run with .*pipeline_steps.reference",
        ),
        ({"data": {"train": "cd34", "test": "ef56"}}, "another test split than that of tiny"),
        ({"data": {"train": "ef56", "test": "ab12"}}, "another train split than that of tiny"),
        ({"judges": {"0": "other"}}, "another classifier than that of this run.*pipeline_steps.reference"),
        ({"drawn": 359}, "drew 60 images, but the reference was measured of 359"),
    ],
)
def test_a_reference_of_another_space_or_data_set_is_refused(
    reference: References, changes: dict[str, Any], sentence: str
) -> None:
    drawn = DrawnImages(images_of(LABELS), images_of(LABELS), LABELS[:, None], ROWS, None, 5)
    with pytest.raises(UserError, match=sentence):
        measure(drawn, replace(reference, **changes))


def test_a_model_without_labels_has_no_distances_by_label(reference: References) -> None:
    drawn = DrawnImages(images_of(LABELS), images_of(LABELS), LABELS[:, None], ROWS, None, 5)
    record = measure(drawn, reference, conditional=False, by_label=True)
    assert record.evaluation["fd_sample_by_label"] == {"dash": "the system is given no labels"}


def test_low_posterior_samples_and_labels_of_another_shape_are_refused(reference: References) -> None:
    good = images_of(LABELS)
    for low, labels, sentence in (
        (good.repeat(2, 2), LABELS[:, None], "low-posterior samples are 1x4x2"),
        (None, LABELS[:50, None], "60 samples and 50x1 labels, which should be 60x1"),
    ):
        with pytest.raises(UserError, match=sentence):
            measure(DrawnImages(good, good, labels, ROWS, low, 5), reference)


def test_nonfinite_features_are_reported(reference: References) -> None:
    class Broken(Corner):
        def __call__(self, images: Tensor) -> Tensor:
            return super().__call__(images) * torch.nan

    drawn = DrawnImages(images_of(LABELS), images_of(LABELS), LABELS[:, None], ROWS, None, 5)
    with pytest.raises(
        UserError, match="cannot be compared in pixels: the features contain values that are not finite"
    ):
        measure_images(drawn, Judges(Broken(), reference, {"0": Corner()}, FACTS), True)  # type: ignore[arg-type, dict-item]


@pytest.mark.parametrize(
    ("samples", "sentence"),
    [
        (
            np.zeros((60, 1, 4, 4), np.uint8),
            "The samples are 1x4x4 of type uint8, up to 0, but the test images are 1x2x2",
        ),
        (np.full((60, 1, 2, 2), 200, np.uint8), "up to 200, but the test images are 1x2x2 with 17 levels"),
        (np.zeros((60, 1, 2, 2), np.float32), "of type float32"),
    ],
)
def test_samples_of_another_shape_or_range_are_refused(
    reference: References, samples: np.ndarray, sentence: str
) -> None:
    drawn = DrawnImages(images_of(LABELS), samples, LABELS[:, None], ROWS, None, 5)
    with pytest.raises(UserError, match=sentence):
        measure(drawn, reference)


def of_all(result: object) -> dict[str, object]:
    """The same result of each metric of precision_recall.py."""
    return dict.fromkeys(("precision", "recall", "density", "coverage"), result)


@pytest.mark.parametrize(
    ("returned", "sentence"),
    [
        (None, "returned None; its entries need results called"),
        ({"precision": 1.0}, r"returned \['precision'\]; its entries need results called .*'recall'"),
        (
            of_all("one"),
            "returned 'one' for precision; a result is a number",
        ),
        (of_all(Measured("x")), "returned .* for precision; a result is a number"),  # type: ignore[arg-type]
        (of_all(Measured(0.5, {}, 0.1)), "returned .* for precision; its entry declares no standard error"),
        (of_all(Measured(0.5, {"value": 1})), "returned .* for precision; `how` is a dictionary .* without the keys"),
        (of_all(Measured(0.5, {"halves": "x"})), "returned .*halves is 'x', but should be a valid list"),
        (of_all(Measured(0.5, {"drawn": {1, 2}})), "returned .*evaluation.json cannot hold .*set is not JSON"),
    ],
)
def test_what_is_no_result_of_a_metric_is_refused(
    returned: object, sentence: str, reference: References, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision_recall, "measure", lambda images, real: returned)
    drawn = DrawnImages(images_of(LABELS), images_of(LABELS), LABELS[:, None], ROWS, None, 5)
    with pytest.raises(UserError, match=f"measure in vaeline/metrics/precision_recall.py {sentence}"):
        measure(drawn, reference)


def test_results_in_the_numbers_of_numpy_are_recorded_as_those_of_python(
    reference: References, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = of_all(Measured(np.float32(0.5), {"neighbours": np.int64(10)}))  # type: ignore[arg-type]
    monkeypatch.setattr(precision_recall, "measure", lambda images, real: {**found, "recall": np.float32(0.25)})
    drawn = DrawnImages(images_of(LABELS), images_of(LABELS), LABELS[:, None], ROWS, None, 5)
    entries = json.loads(json.dumps(measure(drawn, reference).evaluation))
    assert entries["precision"]["value"] == 0.5 and entries["precision"]["neighbours"] == 10
    assert entries["recall"]["value"] == 0.25
    put_image_metrics(reference.spaces[NO_JUDGE], [reference.spaces[NO_JUDGE].real], "floor", by_label=False)
    assert json.dumps(reference.spaces[NO_JUDGE].record.evaluation)


def test_a_metric_of_pixels_names_no_feature_space(reference: References, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = DrawnImages(images_of(LABELS), images_of(LABELS), LABELS[:, None], ROWS, None, 5)
    assert "features" in measure(drawn, reference).evaluation["precision"]
    for name in ("precision", "recall", "density", "coverage"):
        monkeypatch.setitem(catalogue().metrics, name, replace(catalogue().metric(name), features=False))
    put_image_metrics(reference.spaces[NO_JUDGE], [reference.spaces[NO_JUDGE].real], "floor", by_label=False)
    for entry in (measure(drawn, reference).evaluation["precision"], reference.record.evaluation["precision_ceiling"]):
        assert entry["split"] == "test" and not {"features", "weights"} & entry.keys()


def test_a_metric_knows_the_levels_of_pixels(reference: References, monkeypatch: pytest.MonkeyPatch) -> None:
    levels = []
    original = precision_recall.measure
    monkeypatch.setattr(
        precision_recall,
        "measure",
        lambda images, real: levels.append(images.levels) or original(images, real),
    )
    measure(DrawnImages(images_of(LABELS), images_of(LABELS), LABELS[:, None], ROWS, None, 5), reference)
    assert set(levels) == {17}


def judged(skill: Skill, says_nothing: str = "") -> type[Corner]:
    return type("Judge", (Corner,), {"skill": skill, "says_nothing": says_nothing})


def test_a_classifier_that_learned_nothing_gives_dashes(reference: References) -> None:
    drawn = DrawnImages(images_of(LABELS), images_of(LABELS), LABELS[:, None], ROWS, None, 5)
    skill = Skill(20, {"digit": LabelSkill(0.3, 0.33, 0.9)})
    judge = judged(skill, skill.why_nothing)()
    judges = Judges(judge, reference, {"0": judge}, FACTS, by_label=True)  # type: ignore[arg-type, dict-item]
    found = measure_images(drawn, judges, conditional=True).evaluation
    why = {
        "dash": "the classifier was not shown to be better than chance on 20 validation images (digit 0.30 where chance is 0.33)"
    }
    for name in ("condition_accuracy", "fd_sample", "kd_reconstruction", "precision", "fd_sample_by_label"):
        assert found[name] == why, name


def test_other_features_do_not_depend_on_the_classifier(reference: References) -> None:
    drawn = DrawnImages(images_of(LABELS), images_of(LABELS), LABELS[:, None], ROWS, None, 5)
    judge = judged(Skill(20, {"digit": LabelSkill(0.3, 0.33, 0.9)}))()
    record = measure_images(drawn, Judges(Corner(), reference, {"0": judge}, FACTS), conditional=True)  # type: ignore[arg-type, dict-item]
    assert "condition_accuracy" not in record.metrics and "fd_sample" in record.metrics


def test_a_request_for_a_label_that_training_never_saw_is_noted(reference: References) -> None:
    drawn = DrawnImages(images_of(LABELS), images_of(LABELS), LABELS[:, None], ROWS, None, 5)
    facts = replace(FACTS, training_counts=[[9, 0, 14]])
    judges = Judges(Corner(), reference, {"0": Corner()}, facts)  # type: ignore[arg-type, dict-item]
    warning = measure_images(drawn, judges, conditional=True).evaluation["condition_accuracy"]["warning"]
    assert warning.startswith("20 of 60 samples have a label that no training image has: digit=1 (20)")


class Other(Corner):
    """A judge that looks at another corner, and whose space is of its own scale."""

    weights_sha256 = "other"

    def __call__(self, images: Tensor) -> Tensor:
        return 2 * super().__call__(images)

    def predict(self, images: Tensor) -> Tensor:
        return images[:, 0, 1, 1:].long() % 3


class Both(Corner):
    """Two judges, each with a space of its own."""

    def by_judge(self) -> dict[str, Corner]:
        return {"0": Corner(), "1": Other()}


@pytest.fixture
def two_judges(reference: References) -> Judges:
    """Two judges with a space each, and the test images in both."""
    test, spaces = images_of(LABELS), Both().by_judge()
    real = {name: extract(each, lambda: [test], LABELS[:, None], ROWS) for name, each in spaces.items()}  # type: ignore[arg-type]
    known = replace(
        reference,
        spaces={name: Reference(named(each), real[name], Record()) for name, each in spaces.items()},  # type: ignore[arg-type]
        judges={"0": "none", "1": "other"},
    )
    return Judges(Both(), known, spaces, FACTS)  # type: ignore[arg-type]


def test_each_judge_compares_in_its_own_space(reference: References, two_judges: Judges) -> None:
    drawn = DrawnImages(images_of(LABELS), images_of((LABELS + 1) % 3), LABELS[:, None], ROWS, None, 5)
    found, one = measure_images(drawn, two_judges, conditional=True).evaluation, measure(drawn, reference).evaluation
    distance, accuracy = found["fd_sample"], found["condition_accuracy"]
    assert distance["by_judge"]["0"] == one["fd_sample"]["value"]
    assert distance["by_judge"]["1"] == pytest.approx(4 * distance["by_judge"]["0"])
    assert distance["value"] == pytest.approx(2.5 * one["fd_sample"]["value"])
    assert accuracy["by_judge"]["0"] == one["condition_accuracy"]["value"] == 0 < accuracy["by_judge"]["1"]
    assert accuracy["judge"] == distance["weights"] == {"0": "none", "1": "other"}


def test_a_metric_of_pixels_is_measured_once_for_all_judges(
    two_judges: Judges, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = DrawnImages(images_of(LABELS), images_of(LABELS), LABELS[:, None], ROWS, None, 5)
    for name in ("precision", "recall", "density", "coverage"):
        monkeypatch.setitem(catalogue().metrics, name, replace(catalogue().metric(name), features=False))
    calls, original = [], precision_recall.measure
    monkeypatch.setattr(
        precision_recall, "measure", lambda images, real: calls.append(images) or original(images, real)
    )
    found = measure_images(drawn, two_judges, conditional=True).evaluation
    whole = [images for images in calls if len(images.features) == len(LABELS)]  # and not a half of them
    assert len(whole) == 1 and "by_judge" not in found["precision"] and "by_judge" in found["fd_sample"]


def test_a_space_of_no_classifier_is_measured_once_for_all_judges(reference: References) -> None:
    drawn = DrawnImages(images_of(LABELS), images_of(LABELS), LABELS[:, None], ROWS, None, 5)
    known = replace(reference, judges={"0": "none", "1": "other"})
    judges = Judges(Corner(), known, {"0": Corner(), "1": Other()}, FACTS)  # type: ignore[arg-type, dict-item]
    found = measure_images(drawn, judges, conditional=True).evaluation
    assert found["fd_sample"] == measure(drawn, reference).evaluation["fd_sample"]
    assert set(found["condition_accuracy"]["by_judge"]) == {"0", "1"}


def test_all_judges_measure_the_labels_that_all_have_learned(reference: References) -> None:
    facts = replace(FACTS, label_names=["a", "b"], label_values=[["0", "1", "2"]] * 2)
    good, bad = LabelSkill(0.9, 0.5, 0.0005), LabelSkill(0.3, 0.33, 0.9)

    class Two(Corner):
        def predict(self, images: Tensor) -> Tensor:
            return images[:, 0, 0, :1].long().expand(-1, 2)

    labels = np.stack([LABELS, (LABELS + 1) % 3], 1)
    drawn = DrawnImages(images_of(LABELS), images_of(LABELS), labels, ROWS, None, 5)
    for skills, expected in (
        ([Skill(9, {"a": good, "b": good}), Skill(9, {"a": good, "b": bad})], {"value": 1.0, "unlearned": ["b"], "left_out": ["b"]}),
        (
            [Skill(9, {"a": good, "b": good}), Skill(9, {"a": bad, "b": bad})],
            {"dash": "the classifier of seed 1 was not shown to be better than chance on 9 validation images "
             "(a 0.30 where chance is 0.33, b 0.30 where chance is 0.33)"},
        ),
    ):  # fmt: skip
        two = {str(seed): type("Judge", (Two,), {"skill": skill})() for seed, skill in enumerate(skills)}
        known = replace(reference, judges=dict.fromkeys(two, "none"))
        found = measure_images(drawn, Judges(Corner(), known, two, facts), True).evaluation["condition_accuracy"]  # type: ignore[arg-type]
        assert expected.items() <= found.items()


class TwoPixels(Corner):
    """Sees two labels in the first two pixels."""

    skill = made_up.learned("digit", "size")

    def predict(self, images: Tensor) -> Tensor:
        return images[:, 0, 0, :2].long()


HELD_OUT = replace(
    FACTS, label_names=["digit", "size"], label_values=[["0", "1", "2"], ["small", "large"]],
    held_out=[{"digit": "2", "size": "large"}, {"digit": "0", "size": "small"}],
)  # fmt: skip


def of_pairs(shown: np.ndarray, reference: References, judge: Corner) -> Record:
    asked = np.stack([LABELS, np.arange(60) % 2], 1)
    images = np.zeros((60, 1, 2, 2), np.uint8)
    images[:, 0, 0] = shown
    drawn = DrawnImages(images, images, asked, ROWS, None, 5)
    return measure_images(drawn, Judges(Corner(), reference, {"0": judge}, HELD_OUT), True)  # type: ignore[arg-type, dict-item]


def test_held_out_pairs_count_if_both_labels_are_shown(reference: References) -> None:
    asked = np.stack([LABELS, np.arange(60) % 2], 1)
    record = of_pairs(asked, reference, TwoPixels())
    assert record.metrics["held_out_accuracy"] == 1
    shown = asked.copy()
    shown[(asked == [2, 1]).all(1), 1] = 0  # size is wrong for one of the two pairs
    record = of_pairs(shown, reference, TwoPixels())
    assert record.metrics["held_out_accuracy"] == 0.5
    assert record.evaluation["held_out_accuracy"]["by_label"] == {
        "digit=2 and size=large": 0,
        "digit=0 and size=small": 1,
    }


def test_held_out_pairs_of_a_label_that_no_judge_tells_are_a_dash(reference: References) -> None:
    judge = TwoPixels()
    judge.skill = replace(judge.skill, labels={**judge.skill.labels, "size": None})
    record = of_pairs(np.stack([LABELS, np.arange(60) % 2], 1), reference, judge)
    assert (
        "not every classifier was shown to tell the labels of digit=2 and size=large"
        in record.evaluation["held_out_accuracy"]["dash"]
    )


def test_held_out_pairs_that_no_image_is_asked_for_are_a_dash(reference: References) -> None:
    asked = np.stack([LABELS, np.full(60, 0)], 1)
    asked[asked[:, 0] == 0, 0] = 1
    drawn = DrawnImages(images_of(LABELS), images_of(LABELS), asked, ROWS, None, 5)
    record = measure_images(drawn, Judges(Corner(), reference, {"0": TwoPixels()}, HELD_OUT), True)  # type: ignore[arg-type, dict-item]
    assert record.evaluation["held_out_accuracy"]["dash"].startswith("no image is asked for digit=2 and size=large")


def test_a_judge_that_learned_nothing_measures_no_accuracy(reference: References) -> None:
    judge = TwoPixels()
    judge.skill = replace(judge.skill, labels=dict.fromkeys(judge.skill.labels))
    record = of_pairs(np.stack([LABELS, np.arange(60) % 2], 1), reference, judge)
    for name in ("condition_accuracy", "held_out_accuracy"):
        assert record.evaluation[name]["dash"].startswith("the classifier was not shown")
