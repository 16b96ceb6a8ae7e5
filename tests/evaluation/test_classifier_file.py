"""The file of a classifier gives it back whole, and only for the images that it learned from."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests import made_up
from tests.evaluation.bright_halves import SETTINGS, bright_halves, facts_of, quiet, train
from vaeline.data.paths import DataFiles
from vaeline.evaluation import classifier_file
from vaeline.evaluation.classifier import Classifier, predict
from vaeline.evaluation.classifier_file import of_images, of_study
from vaeline.study.step_settings import settings_of
from vaeline.system.errors import UserError

STUDY = made_up.study()


def save(path: Path, classifier: Classifier) -> None:
    classifier_file.save(path, {"0": classifier}, STUDY)


def load(path: Path) -> Classifier:
    return classifier_file.load(path)["0"]


def test_a_saved_classifier_predicts_as_before(trained: Classifier, tmp_path: Path) -> None:
    images = torch.from_numpy(bright_halves(50, 3).images)
    save(DataFiles("tiny", tmp_path).classifier, trained)
    loaded = load(tmp_path / "tiny.classifier.safetensors")
    assert torch.equal(loaded(images), trained(images))
    assert torch.equal(predict(loaded, images.numpy()), predict(trained, images.numpy()))


def test_saving_twice_gives_the_same_bytes(trained: Classifier, tmp_path: Path) -> None:
    for name in ("a", "b"):
        save(tmp_path / name, trained)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", None])
def test_a_damaged_file_is_named(trained: Classifier, tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "tiny.classifier.safetensors"
    save(path, trained)
    path.write_bytes(path.read_bytes()[:-7] if content is None else content)
    with pytest.raises(UserError, match=r"tiny\.classifier\.safetensors is damaged.*pipeline_steps\.classifier"):
        load(path)


def test_any_flipped_bit_is_named(trained: Classifier, tmp_path: Path) -> None:
    path = tmp_path / "tiny.classifier.safetensors"
    save(path, trained)
    good, generator = path.read_bytes(), np.random.default_rng(0)
    for place in generator.choice(len(good), 300, replace=False):
        content = bytearray(good)
        content[place] ^= 1 << int(generator.integers(8))
        path.write_bytes(content)
        with pytest.raises(UserError, match=r"tiny\.classifier\.safetensors is damaged.*pipeline_steps\.classifier"):
            load(path)


def test_a_file_says_what_was_learned_from_what(trained: Classifier, tmp_path: Path) -> None:
    save(tmp_path / "a", trained)
    found = load(tmp_path / "a")
    assert found.skill == trained.skill and found.skill.unlearned == [] and found.skill.images == 60
    assert (found.architecture, found.data, found.settings) == (
        trained.architecture,
        trained.data,
        settings_of(STUDY, "classifier"),
    )


def test_a_missing_file_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"There is no .*pipeline_steps\.classifier"):
        load(tmp_path / "tiny.classifier.safetensors")


def test_a_classifier_of_different_images_is_refused(trained: Classifier, tmp_path: Path) -> None:
    save(DataFiles("tiny", tmp_path).classifier, trained)
    grey = facts_of(np.zeros((1, 1, 8, 8)), [2, 2], levels=17)
    with pytest.raises(
        UserError, match=r"of other images: 3x8x8 with 256 levels .*, where these are 1x8x8 with 17 levels"
    ):
        of_images(grey, tmp_path)


@quiet
def test_a_classifier_of_another_training_split_is_refused(tmp_path: Path) -> None:
    """Its training images may be test images now."""
    images = bright_halves(32, 0)
    facts = replace(facts_of(images.images, [2, 2]), checksums={"train": "ab12"})
    brief = SETTINGS.model_copy(update={"epochs": 1})
    save(DataFiles("tiny", tmp_path).classifier, train(images, images, facts, brief))
    assert of_study(facts, tmp_path, STUDY)["0"].data["train"] == "ab12"
    with pytest.raises(
        UserError, match=r"trained on another training split than that of tiny.*pipeline_steps\.classifier"
    ):
        of_study(replace(facts, checksums={"train": "cd34"}), tmp_path, STUDY)


def test_a_classifier_chosen_on_another_validation_split_is_refused(tmp_path: Path) -> None:
    images = bright_halves(64, 0)
    facts = replace(facts_of(images.images, [2, 2]), checksums={"train": "ab12", "validation": "cd34"})
    save(DataFiles("tiny", tmp_path).classifier, train(images, images, facts, SETTINGS))
    with pytest.raises(UserError, match="chosen on another validation split"):
        of_study(replace(facts, checksums={"train": "ab12", "validation": "ef56"}), tmp_path, STUDY)
