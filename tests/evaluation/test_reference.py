"""References of known Gaussians and features."""

from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch
from torch import Tensor

from tests import made_up
from vaeline.data.drawn_rows import drawn_rows
from vaeline.data.evenly_spaced import evenly_spaced
from vaeline.data.facts import Facts
from vaeline.data.paths import DataFiles
from vaeline.data.store import Split
from vaeline.evaluation import reference
from vaeline.evaluation.catalogue import catalogue
from vaeline.evaluation.classifier import Classifier, predict, probabilities
from vaeline.evaluation.feature_space import NO_JUDGE
from vaeline.evaluation.halves import PAIRS
from vaeline.evaluation.matched import match
from vaeline.evaluation.record import Record
from vaeline.evaluation.reference import RealImages, Reference, References, measure, pixel_gaussian
from vaeline.metrics._calibration_error import calibration_error
from vaeline.metrics._images import ImageSet
from vaeline.metrics._moments import Moments, moments
from vaeline.metrics.frechet_distance import distance
from vaeline.metrics.kernel_distance import kernel_distance
from vaeline.metrics.precision_recall import precision_recall
from vaeline.report.comparison import ReferenceValue
from vaeline.study.schema import Sampling
from vaeline.system.errors import UserError


class Pixels:
    """A feature space with known features: the pixels."""

    prefix: Literal["fd"] = "fd"
    description, weights_sha256, says_nothing, linear = "the pixels themselves", "none", "", False

    def by_judge(self) -> dict[str, "Pixels"]:
        return {NO_JUDGE: self}

    def __call__(self, images: Tensor) -> Tensor:
        return images.flatten(1).float()


def correlated(count: int, seed: int) -> np.ndarray:
    """Images of 2x2 whose pixels are correlated and far from the ends of the range."""
    mixing = np.array([[8.0, 4.0, 0.0, 0.0], [0.0, 6.0, 3.0, 0.0], [0.0, 0.0, 10.0, 5.0], [0.0, 0.0, 0.0, 4.0]])
    rows = 120 + np.random.default_rng(seed).standard_normal((count, 4)) @ mixing
    return rows.round().astype(np.uint8).reshape(count, 1, 2, 2)


def test_the_pixel_gaussian_has_the_mean_and_covariance_of_pixels() -> None:
    images = correlated(2_000, 0)
    samples = np.concatenate(list(pixel_gaussian(images, 20_000, 256, seed=1)))
    assert samples.shape == (20_000, 1, 2, 2)
    assert samples.dtype == np.uint8
    drawn, real = moments([samples.reshape(-1, 4)]), moments([images.reshape(-1, 4)])
    np.testing.assert_allclose(drawn.mean, real.mean, atol=0.3)
    np.testing.assert_allclose(drawn.covariance - np.eye(4) / 12, real.covariance, atol=4)
    assert distance(drawn, real) < 0.05


def test_the_pixel_gaussian_works_with_fewer_images_than_pixels() -> None:
    images = np.random.default_rng(0).integers(100, 140, (5, 1, 8, 8), dtype=np.uint8)
    samples = np.concatenate(list(pixel_gaussian(images, 700, 256, seed=1)))
    assert samples.shape == (700, 1, 8, 8)
    spectrum = np.linalg.eigvalsh(np.cov(samples.reshape(-1, 64), rowvar=False))[::-1]
    assert spectrum[3] > 100 * spectrum[4]  # five images span four directions; rounding adds 1/12


def test_the_pixel_gaussian_stays_within_the_levels() -> None:
    images = np.random.default_rng(0).choice(np.array([0, 16], np.uint8), (50, 1, 4, 4))
    samples = np.concatenate(list(pixel_gaussian(images, 100, 17, seed=1)))
    assert (samples.min(), samples.max()) == (0, 16)


STUDY = made_up.study()
FACTS = Facts("tiny", (1, 2, 2), 256, (-1.0, 1.0), ["a", "b"], [["no", "yes"], ["no", "yes"]])


def measured(drawn: int | None = None, says_nothing: str = "") -> References:
    facts, space = FACTS, Pixels()
    space.says_nothing = says_nothing
    generator = np.random.default_rng(0)
    train, test, validation = (
        Split(correlated(count, count), generator.integers(0, 2, (count, 2)), []) for count in (900, 600, 300)
    )
    torch.manual_seed(0)
    judge = Classifier(facts.image_shape, 256, [2, 2], 4, 2).eval()
    judge.skill = made_up.learned("a", "b")
    images = RealImages(train, test, facts, drawn_rows(600, Sampling(count=drawn)), validation)
    return measure(space, {"0": judge}, images, 0)  # type: ignore[arg-type]


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
def test_a_value_of_few_training_images_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "FACTS", replace(FACTS, training_counts=[[890, 10], [896, 4]]))
    found = measured().record.evaluation
    assert "b" in found["condition_accuracy_ceiling"]["left_out"]
    assert found["condition_accuracy_ceiling"]["value"] == pytest.approx(0.5, abs=0.05)
    assert "by_label" not in found["condition_accuracy_floor"]
    monkeypatch.setitem(globals(), "FACTS", replace(FACTS, training_counts=[[0, 4], [4, 4]]))
    found = measured().record.evaluation
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
    monkeypatch.setattr(reference, "MOST_ROWS", 50)
    monkeypatch.setattr(reference, "BATCH", 70)
    for numbers, kept in ((0, 50), (4 * 200, 200), (4 * 10_000, 900)):
        monkeypatch.setattr(reference, "MOST_NUMBERS", numbers)
        expected = correlated(900, 900)[evenly_spaced(900, kept)].reshape(-1, 4)
        assert np.array_equal(measured().spaces[NO_JUDGE].real.train, expected)


@pytest.mark.filterwarnings("ignore::vaeline.metrics.frechet_distance.FewImages")
def test_too_few_images_for_a_covariance_are_reported(tmp_path: Path) -> None:
    found = measured(4)
    assert "biased upwards" in found.record.evaluation["fd_floor"]["warning"]
    assert found.record.evaluation["precision_ceiling"] == {
        "dash": "5 neighbours need more images than that, not 600 real and 4 drawn"
    }


def test_a_reference_reads_back_equal(tmp_path: Path) -> None:
    found = measured()
    files = DataFiles("tiny", tmp_path)
    paths = files.statistics("classifier"), files.metrics("classifier")
    assert [path.name for path in paths] == ["tiny.classifier.reference.safetensors", "tiny.classifier.json"]
    reference.write(found, *paths, STUDY)
    facts = Facts("tiny", (1, 2, 2), 256, (-1.0, 1.0), ["a", "b"], [["no", "yes"], ["no", "yes"]])
    again = reference.read(*paths, correlated(600, 600), facts, STUDY)
    assert again.spaces[NO_JUDGE].real.label_values == {"a": ["no", "yes"], "b": ["no", "yes"]}
    assert (again.record.metrics, again.record.evaluation) == (found.record.metrics, found.record.evaluation)
    real, expected = again.spaces[NO_JUDGE].real, found.spaces[NO_JUDGE].real
    assert real.moments.count == 600 and np.array_equal(real.train, expected.train)
    assert np.array_equal(real.moments.covariance, expected.moments.covariance)


def test_writing_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        reference.write(measured(), tmp_path / f"{name}.safetensors", tmp_path / f"{name}.json", STUDY)
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


@pytest.fixture
def written(tmp_path: Path) -> tuple[Path, Path]:
    """The two files of a reference."""
    files = DataFiles("tiny", tmp_path)
    reference.write(measured(), files.statistics("classifier"), files.metrics("classifier"), STUDY)
    return files.statistics("classifier"), files.metrics("classifier")


@pytest.mark.parametrize("broken", [0, 1])
def test_any_flipped_bit_is_named(written: tuple[Path, Path], broken: int) -> None:
    path, generator = written[broken], np.random.default_rng(0)
    good, known = path.read_bytes(), reference.read(*written, correlated(600, 600), FACTS, STUDY)
    for place in generator.choice(len(good), 200, replace=False):
        content = bytearray(good)
        content[place] ^= 1 << int(generator.integers(8))
        path.write_bytes(content)
        try:  # a flipped bit may leave every value as it was, for example in a blank
            same = reference.read(*written, correlated(600, 600), FACTS, STUDY).record == known.record
        except UserError as error:
            same = str(path) in str(error) and "pipeline_steps.reference" in str(error)
        assert same, place


@pytest.mark.parametrize("replaced", [0, 1])
def test_files_of_two_references_are_refused(written: tuple[Path, Path], tmp_path: Path, replaced: int) -> None:
    others = tmp_path / "others.safetensors", tmp_path / "others.json"
    reference.write(measured(100), *others, STUDY)
    others[replaced].replace(written[replaced])
    with pytest.raises(UserError, match=r"is not the file that .* was written with"):
        reference.read(*written, correlated(600, 600), FACTS, STUDY)


def test_a_reference_names_its_data_and_classifier() -> None:
    found = measured()
    assert found.data == {"train": "", "validation": "", "test": ""} and found.judges == {"0": ""}


def test_features_that_say_nothing_give_dashes_for_distances() -> None:
    found = measured(says_nothing="the classifier is no better than chance").record
    for name in ("fd_floor", "fd_pixel_gaussian", "kd_floor", "precision_ceiling"):
        assert found.evaluation[name] == {"dash": "the classifier is no better than chance"}
    assert "classifier_accuracy" in found.metrics


@pytest.mark.parametrize("broken", [0, 1])
@pytest.mark.parametrize("content", [None, b"", b"{}"])
def test_a_missing_or_damaged_file_is_named(tmp_path: Path, broken: int, content: bytes | None) -> None:
    files = DataFiles("tiny", tmp_path)
    paths = files.statistics("classifier"), files.metrics("classifier")
    test, facts = np.zeros((9, 1, 1, 2), np.uint8), Facts("tiny", (1, 1, 2), 256, (-1.0, 1.0), ["a"], [["no"]])
    real = ImageSet(
        lambda: [test], Moments(9, np.zeros(2), np.eye(2)), np.zeros((9, 2)), np.zeros((9, 1)), np.arange(9)
    )
    reference.write(
        References({NO_JUDGE: Reference({"features": "pixels"}, real, Record())}, Record(), {}, {}, 9), *paths, STUDY
    )
    paths[broken].unlink()
    if content is not None:
        paths[broken].write_bytes(content)
    with pytest.raises(UserError, match=rf"{paths[broken].name}.*pipeline_steps\.reference"):
        reference.read(*paths, test, facts, STUDY)
