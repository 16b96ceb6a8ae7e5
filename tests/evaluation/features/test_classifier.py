"""The features of images are the last hidden layer of the classifier that learned their labels."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tests import made_up
from tests.evaluation.bright_halves import SETTINGS, SEVERAL, bright_halves, facts_of, quiet, train
from vaeline.data.paths import DataFiles
from vaeline.evaluation import classifier_file, classifier_training
from vaeline.evaluation.classifier import Classifier
from vaeline.evaluation.feature_space import Features
from vaeline.evaluation.skill import LearnedNothing
from vaeline.study import parts

STUDY = made_up.study()


def test_the_feature_part_reads_the_stages_file(trained: Classifier, tmp_path: Path) -> None:
    classifier_file.save(DataFiles("tiny", tmp_path).classifier, {"0": trained}, STUDY)
    images = torch.from_numpy(bright_halves(5, 0).images)
    space = parts.build(
        Features, parts.validate("features", {"name": "classifier"}), facts_of(images.numpy(), [2, 2]), tmp_path
    )
    assert space.prefix == "fd"
    assert torch.equal(space(images), trained(images))


def test_a_classifier_of_invisible_labels_says_nothing(tmp_path: Path) -> None:
    images, validation = bright_halves(120, 0), bright_halves(60, 1)
    for split in (images, validation):
        split.labels[:] = np.random.default_rng(9).integers(0, 2, split.labels.shape)
    with pytest.warns(LearnedNothing, match=r"condition_accuracy and all distances .* raise classifier\.epochs"):
        blind = train(images, validation, facts_of(images.images, [2, 2]), SETTINGS)
    classifier_file.save(DataFiles("tiny", tmp_path).classifier, {"0": blind}, STUDY)
    space = parts.build(
        Features, parts.validate("features", {"name": "classifier"}), facts_of(images.images, [2, 2]), tmp_path
    )
    assert space.says_nothing == blind.skill.why_nothing != ""


@quiet
def test_a_judge_is_the_same_beside_other_judges(tmp_path: Path) -> None:
    """Its checksum names what was measured with it, and is of its own weights."""
    images = bright_halves(64, 0)
    facts, path = facts_of(images.images, [2, 2]), DataFiles("tiny", tmp_path).classifier
    both = classifier_training.train(images, images, facts, SEVERAL)
    classifier_file.save(path, both, STUDY)
    space = parts.build(Features, parts.validate("features", {"name": "classifier"}), facts, tmp_path).by_judge()
    found = classifier_file.load(path)
    assert set(found) == set(space) == {"0", "3"}
    classifier_file.save(path, {"0": both["0"]}, STUDY)
    assert found["0"].weights_sha256 == classifier_file.load(path)["0"].weights_sha256 != found["3"].weights_sha256
    few = torch.from_numpy(images.images[:5])
    for seed, classifier in both.items():
        assert space[seed].weights_sha256 == found[seed].weights_sha256
        assert torch.equal(space[seed](few), classifier(few))
