"""The classifier learns visible labels reproducibly."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.evaluation.bright_halves import SETTINGS, SEVERAL, bright_halves, facts_of, quiet, train
from vaeline.data.facts import RareLabels
from vaeline.data.store import Split
from vaeline.evaluation import classifier_training
from vaeline.evaluation.classifier import Classifier, predict
from vaeline.evaluation.skill import LearnedNothing
from vaeline.system.errors import UserError


def test_visible_labels_are_learned(trained: Classifier) -> None:
    unseen = bright_halves(200, 2)
    seen = predict(trained, unseen.images)
    assert (seen.numpy() == unseen.labels).mean(0).tolist() == pytest.approx([1.0, 1.0], abs=0.03)


def test_training_twice_gives_the_same_classifier(trained: Classifier) -> None:
    torch.manual_seed(123)  # of no consequence: the classifier has a seed of its own
    images = bright_halves(300, 0)
    again = train(images, bright_halves(60, 1), facts_of(images.images, [2, 2]), SETTINGS)
    for name, tensor in trained.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[name]), name


@pytest.mark.parametrize(("column", "augmentation"), [(0, {"flip": True}), (1, {"rotation": 180.0})])
def test_labels_hidden_by_augmentation_are_not_learned(column: int, augmentation: dict[str, float]) -> None:
    """A mirror swaps left and right, half a turn the top and the bottom."""
    images = bright_halves(200, 0)
    labels = images.labels[:, [column]]
    split, facts = Split(images.images, labels, []), facts_of(images.images, [2])
    loss, blinded = (
        train(split, split, facts, SETTINGS.model_copy(update=update))
        .loss(torch.from_numpy(split.images), torch.from_numpy(labels))
        .item()
        for update in ({}, augmentation)
    )
    assert loss < 0.2 < blinded


@quiet
def test_training_does_not_touch_the_callers_random_state() -> None:
    images = bright_halves(40, 0)
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    train(images, images, facts_of(images.images, [2, 2]), SETTINGS.model_copy(update={"epochs": 1}))
    assert torch.equal(torch.rand(3), expected)


@quiet
def test_the_epoch_of_the_lowest_validation_loss_is_kept() -> None:
    """Random labels can only be memorized, so validation gets worse with each epoch and the first epoch is the best."""
    images, validation = bright_halves(64, 0), bright_halves(64, 1)
    generator = np.random.default_rng(5)
    for split in (images, validation):
        split.labels[:] = generator.integers(0, 2, split.labels.shape)
    facts = facts_of(images.images, [2, 2])
    short, long = (train(images, validation, facts, SETTINGS.model_copy(update={"epochs": n})) for n in (1, 30))
    losses = [
        each.loss(torch.from_numpy(validation.images), torch.from_numpy(validation.labels)).item()
        for each in (short, long)
    ]
    assert losses[1] <= losses[0]
    assert losses[1] < 2.5  # 30 epochs by heart end far above 2 ln 2 = 1.39


@quiet
def test_a_value_that_never_occurred_is_never_predicted() -> None:
    images = bright_halves(64, 0)
    images.labels[:, 1] = 0
    classifier = train(images, images, facts_of(images.images, [2, 3]), SETTINGS.model_copy(update={"epochs": 1}))
    assert set(predict(classifier, images.images)[:, 1].tolist()) == {0}


@pytest.mark.parametrize("count", [1, 4])
def test_a_value_of_few_images_is_not_seen_everywhere(count: int) -> None:
    """A value that images do not show, as `missing`, and that balanced odds would raise."""
    images, validation = bright_halves(300, 0), bright_halves(60, 1)
    images.labels[:count, 0] = validation.labels[:1, 0] = 2
    facts = facts_of(images.images, [3, 2])
    facts = replace(facts, training_counts=[np.bincount(column, minlength=2).tolist() for column in images.labels.T])
    with pytest.warns(RareLabels, match=rf"Fewer than 5 training images have label_0=2 \({count}\)\. The classifier"):
        classifier = train(images, validation, facts, SETTINGS)
    unseen = bright_halves(200, 2)
    seen = predict(classifier, unseen.images).numpy()
    assert (seen == unseen.labels).mean(0).tolist() == pytest.approx([1.0, 1.0], abs=0.03)
    assert classifier.skill.unlearned == [] and classifier.skill.labels["label_0"].balanced_accuracy > 0.9  # type: ignore[union-attr]


def test_a_value_of_five_images_may_be_seen() -> None:
    images = bright_halves(300, 0)
    images.labels[:5, 0] = 2
    images.images[:5] = 255
    classifier = train(images, images, facts_of(images.images, [3, 2]), SETTINGS)
    assert set(predict(classifier, images.images[:5])[:, 0].tolist()) == {2}


def test_a_nonfinite_loss_stops_with_an_explanation() -> None:
    images = bright_halves(64, 0)
    with pytest.raises(UserError, match=r"lower classifier\.learning_rate"):
        train(images, images, facts_of(images.images, [2, 2]), SETTINGS.model_copy(update={"learning_rate": 1e30}))


@quiet
def test_several_classifiers_are_each_that_of_their_seed() -> None:
    images = bright_halves(64, 0)
    facts = facts_of(images.images, [2, 2])
    found = classifier_training.train(images, images, facts, SEVERAL)
    assert list(found) == ["3", "0"]
    for seed, classifier in found.items():
        [alone] = classifier_training.train(
            images, images, facts, SEVERAL.model_copy(update={"seeds": [int(seed)]})
        ).values()
        for name, tensor in alone.state_dict().items():
            assert torch.equal(tensor, classifier.state_dict()[name]), name
    assert not torch.equal(found["3"].heads.weight, found["0"].heads.weight)


@quiet
def test_all_that_is_random_of_a_classifier_comes_from_its_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn, original = [], classifier_training.derive_seed
    monkeypatch.setattr(classifier_training, "derive_seed", lambda *names: drawn.append(names) or original(*names))
    images = bright_halves(64, 0)
    classifier_training.train(images, images, facts_of(images.images, [2, 2]), SEVERAL)
    assert len(drawn) == 6 and [seed for _, seed in drawn] == [3, 3, 3, 0, 0, 0]


@quiet
def test_a_warning_names_one_of_several_classifiers() -> None:
    images, validation = bright_halves(64, 0), bright_halves(60, 1)
    for split in (images, validation):
        split.labels[:] = np.random.default_rng(9).integers(0, 2, split.labels.shape)
    with pytest.warns(LearnedNothing, match="^The classifier of seed 3 was not shown to be better than chance"):
        classifier_training.train(images, validation, facts_of(images.images, [2, 2]), SEVERAL)
