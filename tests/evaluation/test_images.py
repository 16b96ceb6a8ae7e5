"""Metrics of samples, for images and labels that are known."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from tests import made_up
from vaeline.data.facts import Facts
from vaeline.evaluation.catalogue import catalogue
from vaeline.evaluation.image_features import extract
from vaeline.evaluation.images import Judges, measure_images
from vaeline.evaluation.record import Record
from vaeline.evaluation.reference import Reference, named, put_image_metrics
from vaeline.evaluation.skill import LabelSkill, Skill
from vaeline.metrics import precision_recall
from vaeline.metrics.kernel_distance import kernel_distance
from vaeline.runs.samples_file import DrawnImages
from vaeline.system.errors import UserError

FACTS = Facts(
    "tiny", (1, 2, 2), 17, (-1.0, 1.0), ["digit"], [["0", "1", "2"]], checksums={"test": "ab12", "train": "cd34"}
)
LABELS, ROWS = np.arange(60) % 3, np.arange(60)


class Corner:
    """A feature space that is also a classifier: it reads the pixels."""

    prefix, description, weights_sha256 = "fd", "pixels", "none"
    says_nothing, skill, log_frequency = "", made_up.learned("digit"), torch.zeros(1)

    def __call__(self, images: Tensor) -> Tensor:
        return images.flatten(1).float()

    def predict(self, images: Tensor) -> Tensor:
        return images[:, 0, 0, :1].long()


def images_of(corner: np.ndarray) -> np.ndarray:
    images = np.random.default_rng(0).integers(0, 17, (len(corner), 1, 2, 2), dtype=np.uint8)
    images[:, 0, 0, 0] = corner
    return images


@pytest.fixture
def reference() -> Reference:
    record = Record()
    record.put("fd_floor", 1.5)
    test = images_of(LABELS)
    train = np.random.default_rng(1).integers(0, 17, (80, 4)).astype(np.float32)
    real = replace(
        extract(Corner(), lambda: [test], LABELS[:, None], ROWS), label_values={"digit": ["0", "1", "2"]}, train=train
    )
    return Reference(named(Corner()), real, record, FACTS.checksums, 60, "none")


def measure(drawn: DrawnImages, reference: Reference, conditional: bool = True, by_label: bool = False) -> Record:
    judges = Judges(Corner(), reference, Corner(), FACTS, by_label)  # type: ignore[arg-type]
    return measure_images(drawn, judges, conditional)


def test_the_test_images_are_at_distance_zero_from_themselves(reference: Reference) -> None:
    drawn = DrawnImages(images_of(LABELS), images_of(2 - LABELS) // 2, LABELS[:, None], ROWS, None, 5)
    record = measure(drawn, reference)
    assert record.metrics["fd_reconstruction"] == pytest.approx(0, abs=1e-9)
    assert record.metrics["fd_sample"] > 10
    assert "fd_floor" not in record.metrics and "fd_sample" not in reference.record.metrics


def test_kernels_of_an_image_with_its_source_are_excluded(reference: Reference) -> None:
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


def test_samples_that_show_the_requested_labels_are_accurate(reference: Reference) -> None:
    for shown, accuracy in ((LABELS, 1.0), (LABELS * 0, 1 / 3), ((LABELS + 1) % 3, 0.0)):
        drawn = DrawnImages(images_of(LABELS), images_of(shown), LABELS[:, None], ROWS, None, 5)
        record = measure(drawn, reference)
        assert record.metrics["condition_accuracy"] == pytest.approx(accuracy)


def test_a_model_without_labels_has_no_condition_accuracy(reference: Reference) -> None:
    drawn = DrawnImages(images_of(LABELS), images_of(LABELS), np.zeros((60, 1), np.int64), ROWS, None, 5)
    record = measure(drawn, reference, conditional=False)
    assert "condition_accuracy" not in record.metrics
    assert record.evaluation["condition_accuracy"] == {"dash": "the system is given no labels"}


def test_every_drawn_metric_says_its_images_seed_and_judge(
    reference: Reference,
) -> None:
    drawn = DrawnImages(images_of(LABELS), images_of(LABELS), LABELS[:, None], ROWS, images_of(LABELS), 5)
    record = measure(drawn, reference)
    for name, how in record.evaluation.items():
        assert {"split": "test", "split_sha256": "ab12", "seed": 5, "images": 60}.items() <= how.items(), name
        assert how.get("weights", how.get("judge")) == "none", name
    assert record.metrics["fd_low_posterior"] == pytest.approx(0, abs=1e-9)


def test_a_label_that_was_never_requested_is_named(reference: Reference) -> None:
    asked = LABELS % 2
    drawn = DrawnImages(images_of(asked), images_of(asked), asked[:, None], ROWS, None, 5)
    record = measure(drawn, reference)
    assert record.evaluation["condition_accuracy"]["left_out"] == ["digit=2"]


def test_a_label_value_of_few_requests_or_training_images_does_not_count(reference: Reference) -> None:
    """One request of 60 that is not met would take a sixth of the accuracy, or a half if it were one of two values."""
    asked = np.where(ROWS == 0, 2, LABELS % 2)
    shown = np.where(ROWS == 0, 0, asked)
    drawn = DrawnImages(images_of(asked), images_of(shown), asked[:, None], ROWS, None, 5)
    found = measure(drawn, reference).evaluation["condition_accuracy"]
    assert (found["value"], found["left_out"]) == (1, ["digit=2"])
    drawn = DrawnImages(images_of(LABELS), images_of(np.minimum(LABELS, 1)), LABELS[:, None], ROWS, None, 5)
    for count, value in ((4, 1), (5, 2 / 3)):
        facts = replace(FACTS, training_counts=[[20, 20, count]])
        judges = Judges(Corner(), reference, Corner(), facts)  # type: ignore[arg-type]
        assert measure_images(drawn, judges, conditional=True).metrics["condition_accuracy"] == pytest.approx(value)


def test_distances_by_label_are_measured_on_request(reference: Reference) -> None:
    for shown, near in ((LABELS, True), ((LABELS + 1) % 3, False)):
        drawn = DrawnImages(images_of(LABELS), images_of(shown), LABELS[:, None], ROWS, None, 5)
        record = measure(drawn, reference, by_label=True)
        assert (record.metrics["fd_sample_by_label"] < 1e-6) == near
        assert set(record.evaluation["fd_sample_by_label"]["by_label"]) == {"digit=0", "digit=1", "digit=2"}
    assert record.metrics["fd_sample"] > 0


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"space": {"features": "pixels", "weights": "other"}}, "measured with .*other.*pipeline_steps.reference"),
        ({"data": {"train": "cd34", "test": "ef56"}}, "another test split than that of tiny"),
        ({"data": {"train": "ef56", "test": "ab12"}}, "another train split than that of tiny"),
        ({"judge": "other"}, "another classifier than that of this run.*pipeline_steps.reference"),
        ({"drawn": 359}, "drew 60 images, but the reference was measured of 359"),
    ],
)
def test_a_reference_of_another_space_or_data_set_is_refused(
    reference: Reference, changes: dict[str, Any], sentence: str
) -> None:
    drawn = DrawnImages(images_of(LABELS), images_of(LABELS), LABELS[:, None], ROWS, None, 5)
    with pytest.raises(UserError, match=sentence):
        measure(drawn, replace(reference, **changes))


def test_a_model_without_labels_has_no_distances_by_label(reference: Reference) -> None:
    drawn = DrawnImages(images_of(LABELS), images_of(LABELS), LABELS[:, None], ROWS, None, 5)
    record = measure(drawn, reference, conditional=False, by_label=True)
    assert record.evaluation["fd_sample_by_label"] == {"dash": "the system is given no labels"}


def test_low_posterior_samples_and_labels_of_another_shape_are_refused(reference: Reference) -> None:
    good = images_of(LABELS)
    for low, labels, sentence in (
        (good.repeat(2, 2), LABELS[:, None], "low-posterior samples are 1x4x2"),
        (None, LABELS[:50, None], "60 samples and 50x1 labels, which should be 60x1"),
    ):
        with pytest.raises(UserError, match=sentence):
            measure(DrawnImages(good, good, labels, ROWS, low, 5), reference)


def test_nonfinite_features_are_reported(reference: Reference) -> None:
    class Broken(Corner):
        def __call__(self, images: Tensor) -> Tensor:
            return super().__call__(images) * torch.nan

    drawn = DrawnImages(images_of(LABELS), images_of(LABELS), LABELS[:, None], ROWS, None, 5)
    with pytest.raises(
        UserError, match="cannot be compared in pixels: the features contain values that are not finite"
    ):
        measure_images(drawn, Judges(Broken(), reference, Corner(), FACTS), True)  # type: ignore[arg-type]


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
    reference: Reference, samples: np.ndarray, sentence: str
) -> None:
    drawn = DrawnImages(images_of(LABELS), samples, LABELS[:, None], ROWS, None, 5)
    with pytest.raises(UserError, match=sentence):
        measure(drawn, reference)


@pytest.mark.parametrize(
    ("returned", "sentence"),
    [
        (None, "returned None; its entries need results called"),
        ({"precision": 1.0}, r"returned \['precision'\]; its entries need results called .*'recall'"),
        (
            dict.fromkeys(("precision", "recall", "density", "coverage"), "one"),
            "returned 'one' for precision; a result is a number",
        ),
    ],
)
def test_what_is_no_result_of_a_metric_is_refused(
    returned: object, sentence: str, reference: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision_recall, "measure", lambda images, real: returned)
    drawn = DrawnImages(images_of(LABELS), images_of(LABELS), LABELS[:, None], ROWS, None, 5)
    with pytest.raises(UserError, match=f"measure in vaeline/metrics/precision_recall.py {sentence}"):
        measure(drawn, reference)


def test_a_metric_of_pixels_names_no_feature_space(reference: Reference, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = DrawnImages(images_of(LABELS), images_of(LABELS), LABELS[:, None], ROWS, None, 5)
    assert "features" in measure(drawn, reference).evaluation["precision"]
    for name in ("precision", "recall", "density", "coverage"):
        monkeypatch.setitem(catalogue().metrics, name, replace(catalogue().metric(name), features=False))
    put_image_metrics(reference, reference.real, "floor", by_label=False)
    for entry in (measure(drawn, reference).evaluation["precision"], reference.record.evaluation["precision_ceiling"]):
        assert entry["split"] == "test" and not {"features", "weights"} & entry.keys()


def test_a_metric_knows_the_levels_of_pixels(reference: Reference, monkeypatch: pytest.MonkeyPatch) -> None:
    levels = []
    original = precision_recall.measure
    monkeypatch.setattr(
        precision_recall, "measure", lambda images, real: levels.append(images.levels) or original(images, real)
    )
    measure(DrawnImages(images_of(LABELS), images_of(LABELS), LABELS[:, None], ROWS, None, 5), reference)
    assert levels == [17]


def judged(skill: Skill, says_nothing: str = "") -> type[Corner]:
    return type("Judge", (Corner,), {"skill": skill, "says_nothing": says_nothing})


def test_a_classifier_that_learned_nothing_gives_dashes(reference: Reference) -> None:
    drawn = DrawnImages(images_of(LABELS), images_of(LABELS), LABELS[:, None], ROWS, None, 5)
    skill = Skill(20, {"digit": LabelSkill(0.3, 0.33, 0.9)})
    judge = judged(skill, skill.why_nothing)()
    judges = Judges(judge, reference, judge, FACTS, by_label=True)  # type: ignore[arg-type]
    found = measure_images(drawn, judges, conditional=True).evaluation
    why = {
        "dash": "the classifier was not shown to be better than chance on 20 validation images (digit 0.30 where chance is 0.33)"
    }
    for name in ("condition_accuracy", "fd_sample", "kd_reconstruction", "precision", "fd_sample_by_label"):
        assert found[name] == why, name


def test_other_features_do_not_depend_on_the_classifier(reference: Reference) -> None:
    drawn = DrawnImages(images_of(LABELS), images_of(LABELS), LABELS[:, None], ROWS, None, 5)
    judge = judged(Skill(20, {"digit": LabelSkill(0.3, 0.33, 0.9)}))()
    record = measure_images(drawn, Judges(Corner(), reference, judge, FACTS), conditional=True)  # type: ignore[arg-type]
    assert "condition_accuracy" not in record.metrics and "fd_sample" in record.metrics


def test_a_request_for_a_label_that_training_never_saw_is_noted(reference: Reference) -> None:
    drawn = DrawnImages(images_of(LABELS), images_of(LABELS), LABELS[:, None], ROWS, None, 5)
    facts = replace(FACTS, training_counts=[[9, 0, 14]])
    judges = Judges(Corner(), reference, Corner(), facts)  # type: ignore[arg-type]
    warning = measure_images(drawn, judges, conditional=True).evaluation["condition_accuracy"]["warning"]
    assert warning.startswith("20 of 60 samples have a label that no training image has: digit=1 (20)")
