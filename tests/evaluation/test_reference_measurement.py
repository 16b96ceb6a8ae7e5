"""References of known Gaussians and features."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.evaluation.correlated_pixels import FACTS, correlated, measured
from vaeline.data.drawn_rows import drawn_rows
from vaeline.evaluation import pixel_gaussian, reference_measurement
from vaeline.evaluation.catalogue import catalogue
from vaeline.evaluation.classifier import Classifier, predict, probabilities
from vaeline.evaluation.feature_space import NO_JUDGE
from vaeline.evaluation.halves import PAIRS
from vaeline.evaluation.matched import match
from vaeline.metrics._calibration_error import calibration_error
from vaeline.metrics._moments import moments
from vaeline.metrics.frechet_distance import distance
from vaeline.metrics.kernel_distance import kernel_distance
from vaeline.metrics.precision_recall import precision_recall
from vaeline.report.comparison import ReferenceValue
from vaeline.study.schema import Sampling
from vaeline.system.evenly_spaced import evenly_spaced


def floors(drawn: int | None = None) -> list[np.ndarray]:
    """Pixels of the subsets of training images that floors are the means of."""
    generator = np.random.default_rng(0)
    train, test = (generator.integers(0, 2, (count, 2)) for count in (900, 600))
    matched = match(test[drawn_rows(600, Sampling(count=drawn))], train, 0)
    return [correlated(900, 900)[rows].reshape(-1, 4) for rows in matched.subsets(0)]


def test_a_reference_holds_test_statistics_floors_and_ceilings() -> None:
    found = measured()
    expected = moments([correlated(600, 600).reshape(-1, 4)])
    np.testing.assert_allclose(found.spaces[NO_JUDGE].real.moments.covariance, expected.covariance)
    values = [distance(moments([rows]), expected) for rows in floors()]
    assert found.record.metrics["fd_floor"] == pytest.approx(np.mean(values))
    assert found.record.metrics["fd_pixel_gaussian"] < 5  # of variances near 100: these images are a Gaussian
    assert found.record.metrics["condition_accuracy_floor"] == pytest.approx(0.5, abs=0.03)
    scales = {each.name for metric in catalogue().metrics.values() for each in metric.references if each.past}
    for name in scales & found.record.metrics.keys():
        known = ReferenceValue.of(found.record, name)
        assert known.half_width > 0 or name == "condition_accuracy_ceiling", name
    assert "halves" not in found.record.evaluation["kd_pixel_gaussian"]  # its standard error is by the jackknife
    ceiling = found.record.evaluation["condition_accuracy_ceiling"]
    assert set(ceiling["by_label"]) == {"a", "b"}
    assert ceiling["halves"] == [0.0] * PAIRS  # the judge gives one answer to all images


def test_the_classifier_is_evaluated_on_test_images() -> None:
    found = measured().record
    torch.manual_seed(0)
    judge = Classifier((1, 2, 2), 256, [2, 2], 4, 2).eval()
    images = correlated(600, 600)
    generator = np.random.default_rng(0)
    generator.integers(0, 2, (900, 2))
    labels = generator.integers(0, 2, (600, 2))
    assert found.metrics["classifier_accuracy"] == pytest.approx((predict(judge, images).numpy() == labels).mean())
    errors = [
        calibration_error(column.numpy(), labels[:, index]) for index, column in enumerate(probabilities(judge, images))
    ]
    assert found.metrics["classifier_calibration_error"] == pytest.approx(np.mean(errors))


@pytest.mark.filterwarnings("ignore::vaeline.metrics.condition_accuracy.AbsentLabel")
def test_a_value_of_few_training_images_does_not_count() -> None:
    found = measured(facts=replace(FACTS, training_counts=[[890, 10], [896, 4]])).record.evaluation
    assert "b" in found["condition_accuracy_ceiling"]["left_out"]
    assert found["condition_accuracy_ceiling"]["value"] == pytest.approx(0.5, abs=0.05)
    assert "by_label" not in found["condition_accuracy_floor"]
    found = measured(facts=replace(FACTS, training_counts=[[0, 4], [4, 4]])).record.evaluation
    assert found["condition_accuracy_ceiling"] == {"dash": "no label has two values with enough images"}
    assert found["classifier_accuracy"] == {"dash": "no test image has a label that the classifier could learn"}


def test_floors_use_as_many_images_as_the_models_draw() -> None:
    found = measured(100)
    real = moments([correlated(600, 600).reshape(-1, 4)])
    values = [distance(moments([rows]), real) for rows in floors(100)]
    assert found.record.metrics["fd_floor"] == pytest.approx(np.mean(values))
    assert found.record.evaluation["fd_floor"]["spread"] > np.std(values, ddof=1)
    assert {found.record.evaluation[name]["images"] for name in ("fd_floor", "fd_pixel_gaussian")} == {100}
    assert measured(10_000).record.evaluation["fd_floor"]["images"] == measured(10_000).drawn == 600


def test_every_frechet_distance_comes_with_a_kernel_distance() -> None:
    found = measured().record
    rows, each_by_itself = correlated(600, 600).reshape(-1, 4), np.arange(600)
    values = [kernel_distance(train, rows, each_by_itself) for train in floors()]
    assert found.metrics["kd_floor"] == pytest.approx(np.mean([each.distance for each in values]))
    assert found.metrics["kd_floor_standard_error"] == pytest.approx(np.mean([each.standard_error for each in values]))
    assert "kd_pixel_gaussian" in found.metrics
    assert (
        found.evaluation["kd_floor"]["features"] == "the pixels themselves" and found.evaluation["kd_floor"]["weights"]
    )


def test_training_images_give_the_ceiling_of_precision_and_recall() -> None:
    found = measured().record
    real = torch.from_numpy(correlated(600, 600).reshape(-1, 4))
    expected = np.mean([precision_recall(real, torch.from_numpy(rows)) for rows in floors()], axis=0)
    names = ("precision", "recall", "density", "coverage")
    assert [found.metrics[f"{name}_ceiling"] for name in names] == pytest.approx(expected.tolist())
    assert expected[0] > 0.95 and expected[2] == pytest.approx(1, abs=0.15)


def test_validation_images_are_no_copies_of_training_images() -> None:
    found = measured()
    how = found.record.evaluation["memorised_share_floor"]
    assert found.spaces[NO_JUDGE].real.train.dtype == np.float32 and np.array_equal(
        found.spaces[NO_JUDGE].real.train, correlated(900, 900).reshape(-1, 4)
    )
    assert (how["images"], how["of"], how["training_images"]) == (300, 600, 900)
    assert how["value"] == pytest.approx(0.05, abs=2 * found.record.metrics["memorised_share_floor_standard_error"])


def test_many_training_images_are_kept_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference_measurement, "MOST_ROWS", 50)
    monkeypatch.setattr(pixel_gaussian, "BATCH", 70)
    for numbers, kept in ((0, 50), (4 * 200, 200), (4 * 10_000, 900)):
        monkeypatch.setattr(reference_measurement, "MOST_NUMBERS", numbers)
        expected = correlated(900, 900)[evenly_spaced(900, kept)].reshape(-1, 4)
        assert np.array_equal(measured().spaces[NO_JUDGE].real.train, expected)


@pytest.mark.filterwarnings("ignore::vaeline.metrics.frechet_distance.FewImages")
def test_too_few_images_for_a_covariance_are_reported(tmp_path: Path) -> None:
    found = measured(4)
    assert "biased upwards" in found.record.evaluation["fd_floor"]["warning"]
    assert found.record.evaluation["precision_ceiling"] == {
        "dash": "5 neighbours need more images than that, not 600 real and 4 drawn"
    }


def test_a_reference_names_its_data_and_classifier() -> None:
    found = measured()
    assert found.data == {"train": "", "validation": "", "test": ""} and found.judges == {"0": ""}


def test_features_that_say_nothing_give_dashes_for_distances() -> None:
    found = measured(says_nothing="the classifier is no better than chance").record
    for name in ("fd_floor", "fd_pixel_gaussian", "kd_floor", "precision_ceiling"):
        assert found.evaluation[name] == {"dash": "the classifier is no better than chance"}
    assert "classifier_accuracy" in found.metrics
