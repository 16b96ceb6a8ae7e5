"""The classifier learns visible labels reproducibly, from images of any size."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests import made_up
from vaeline.data.facts import Facts, RareLabels
from vaeline.data.paths import DataFiles
from vaeline.data.store import Split
from vaeline.evaluation import classifier as module
from vaeline.evaluation.classifier import Classifier, of, predict, probabilities
from vaeline.evaluation.feature_space import Features
from vaeline.evaluation.skill import LearnedNothing
from vaeline.study import parts, schema
from vaeline.study.schema import Study
from vaeline.study.step_settings import settings_of
from vaeline.system.errors import UserError

quiet = pytest.mark.filterwarnings("ignore::vaeline.evaluation.skill.LearnedNothing")  # two epochs teach little

STUDY = made_up.study()
SETTINGS = schema.Classifier(seeds=[0], epochs=12, width=4, features=8, learning_rate=0.01, batch_size=32, threads=1)


def train(*arguments: Any) -> Classifier:
    """The one classifier that the settings ask for."""
    return module.train(*arguments)["0"]


def save(path: Path, classifier: Classifier, study: Study) -> None:
    module.save(path, {"0": classifier}, study)


def load(path: Path) -> Classifier:
    return module.load(path)["0"]


def facts_of(images: np.ndarray, cardinalities: list[int], levels: int = 256) -> Facts:
    names = [f"label_{column}" for column in range(len(cardinalities))]
    values = [[str(value) for value in range(cardinality)] for cardinality in cardinalities]
    _, channels, height, width = images.shape
    return Facts("tiny", (channels, height, width), levels, (-1.0, 1.0), names, values)


def bright_halves(count: int, seed: int) -> Split:
    """The first label says which of left and right is bright, the second which of top and bottom; the second is rarely 1."""
    generator = np.random.default_rng(seed)
    labels = np.stack([generator.random(count) < 0.5, generator.random(count) < 0.15], 1).astype(np.int64)
    images = generator.integers(0, 100, (count, 3, 8, 8), dtype=np.uint8)
    for image, (side, end) in zip(images, labels, strict=True):
        image[:, :, 4 * side : 4 * side + 4] += 60
        image[:, 4 * end : 4 * end + 4] += 60
    return Split(images, labels, [])


@pytest.fixture(scope="module")
def trained() -> Classifier:
    torch.set_num_threads(1)
    images = bright_halves(300, 0)
    return train(images, bright_halves(60, 1), facts_of(images.images, [2, 2]), SETTINGS)


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


def test_a_saved_classifier_predicts_as_before(trained: Classifier, tmp_path: Path) -> None:
    images = torch.from_numpy(bright_halves(50, 3).images)
    save(DataFiles("tiny", tmp_path).classifier, trained, STUDY)
    loaded = load(tmp_path / "tiny.classifier.safetensors")
    assert torch.equal(loaded(images), trained(images))
    assert torch.equal(predict(loaded, images.numpy()), predict(trained, images.numpy()))


def test_saving_twice_gives_the_same_bytes(trained: Classifier, tmp_path: Path) -> None:
    for name in ("a", "b"):
        save(tmp_path / name, trained, STUDY)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", None])
def test_a_damaged_file_is_named(trained: Classifier, tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "tiny.classifier.safetensors"
    save(path, trained, STUDY)
    path.write_bytes(path.read_bytes()[:-7] if content is None else content)
    with pytest.raises(UserError, match=r"tiny\.classifier\.safetensors is damaged.*pipeline_steps\.classifier"):
        load(path)


def test_any_flipped_bit_is_named(trained: Classifier, tmp_path: Path) -> None:
    path = tmp_path / "tiny.classifier.safetensors"
    save(path, trained, STUDY)
    good, generator = path.read_bytes(), np.random.default_rng(0)
    for place in generator.choice(len(good), 300, replace=False):
        content = bytearray(good)
        content[place] ^= 1 << int(generator.integers(8))
        path.write_bytes(content)
        with pytest.raises(UserError, match=r"tiny\.classifier\.safetensors is damaged.*pipeline_steps\.classifier"):
            load(path)


def test_a_file_says_what_was_learned_from_what(trained: Classifier, tmp_path: Path) -> None:
    save(tmp_path / "a", trained, STUDY)
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


def test_rare_labels_are_predicted_at_balanced_odds() -> None:
    """An image that fits both values equally well shows the rare one as soon as it is likelier than by frequency."""
    classifier = Classifier((1, 8, 8), 256, [2], 4, 4).eval()
    torch.nn.init.zeros_(classifier.heads.weight)
    classifier.heads.bias.data = torch.tensor([0.9, 0.1]).log()
    image = torch.zeros(1, 1, 8, 8, dtype=torch.uint8)
    assert classifier.predict(image).item() == 0
    classifier.log_frequency = torch.tensor([0.95, 0.05]).log()
    assert classifier.predict(image).item() == 1


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


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("side", [4, 8, 9, 17, 28, 32, 64, 86])
def test_images_of_any_size_become_features(channels: int, side: int) -> None:
    classifier = Classifier((channels, side, side), 256, [10], 4, 7).eval()
    assert classifier(torch.zeros(2, channels, side, side, dtype=torch.uint8)).shape == (2, 7)


def test_the_feature_part_reads_the_stages_file(trained: Classifier, tmp_path: Path) -> None:
    save(DataFiles("tiny", tmp_path).classifier, trained, STUDY)
    images = torch.from_numpy(bright_halves(5, 0).images)
    space = parts.build(
        Features, parts.validate("features", {"name": "classifier"}), facts_of(images.numpy(), [2, 2]), tmp_path
    )
    assert space.prefix == "fd"
    assert torch.equal(space(images), trained(images))


def test_a_classifier_of_different_images_is_refused(trained: Classifier, tmp_path: Path) -> None:
    save(DataFiles("tiny", tmp_path).classifier, trained, STUDY)
    grey = facts_of(np.zeros((1, 1, 8, 8)), [2, 2], levels=17)
    with pytest.raises(
        UserError, match=r"of other images: 3x8x8 with 256 levels .*, where these are 1x8x8 with 17 levels"
    ):
        parts.build(Features, parts.validate("features", {"name": "classifier"}), grey, tmp_path)


@quiet
def test_a_classifier_of_another_training_split_is_refused(tmp_path: Path) -> None:
    """Its training images may be test images now."""
    images = bright_halves(32, 0)
    facts = replace(facts_of(images.images, [2, 2]), checksums={"train": "ab12"})
    save(
        DataFiles("tiny", tmp_path).classifier,
        train(images, images, facts, SETTINGS.model_copy(update={"epochs": 1})),
        STUDY,
    )
    assert of(facts, tmp_path, STUDY)["0"].data["train"] == "ab12"
    with pytest.raises(
        UserError, match=r"trained on another training split than that of tiny.*pipeline_steps\.classifier"
    ):
        of(replace(facts, checksums={"train": "cd34"}), tmp_path, STUDY)


def test_a_classifier_chosen_on_another_validation_split_is_refused(tmp_path: Path) -> None:
    images = bright_halves(64, 0)
    facts = replace(facts_of(images.images, [2, 2]), checksums={"train": "ab12", "validation": "cd34"})
    save(DataFiles("tiny", tmp_path).classifier, train(images, images, facts, SETTINGS), STUDY)
    with pytest.raises(UserError, match="chosen on another validation split"):
        of(replace(facts, checksums={"train": "ab12", "validation": "ef56"}), tmp_path, STUDY)


def test_a_classifier_of_invisible_labels_says_nothing(tmp_path: Path) -> None:
    images, validation = bright_halves(120, 0), bright_halves(60, 1)
    for split in (images, validation):
        split.labels[:] = np.random.default_rng(9).integers(0, 2, split.labels.shape)
    with pytest.warns(LearnedNothing, match=r"condition_accuracy and all distances .* raise classifier\.epochs"):
        blind = train(images, validation, facts_of(images.images, [2, 2]), SETTINGS)
    save(DataFiles("tiny", tmp_path).classifier, blind, STUDY)
    space = parts.build(
        Features, parts.validate("features", {"name": "classifier"}), facts_of(images.images, [2, 2]), tmp_path
    )
    assert space.says_nothing == blind.skill.why_nothing != ""


def test_a_nonfinite_loss_stops_with_an_explanation() -> None:
    images = bright_halves(64, 0)
    with pytest.raises(UserError, match=r"lower classifier\.learning_rate"):
        train(images, images, facts_of(images.images, [2, 2]), SETTINGS.model_copy(update={"learning_rate": 1e30}))


def test_probabilities_are_the_softmax_of_the_logits(trained: Classifier) -> None:
    images = bright_halves(30, 5).images
    found = probabilities(trained, images)
    assert [tuple(column.shape) for column in found] == [(30, values) for values in trained.cardinalities]
    for column, logits in zip(found, trained.logits(torch.from_numpy(images)), strict=True):
        torch.testing.assert_close(column, logits.softmax(1), atol=1e-5, rtol=0)


SEVERAL = SETTINGS.model_copy(update={"epochs": 1, "seeds": [3, 0]})


@quiet
def test_several_classifiers_are_each_that_of_their_seed() -> None:
    images = bright_halves(64, 0)
    facts = facts_of(images.images, [2, 2])
    found = module.train(images, images, facts, SEVERAL)
    assert list(found) == ["3", "0"]
    for seed, classifier in found.items():
        [alone] = module.train(images, images, facts, SEVERAL.model_copy(update={"seeds": [int(seed)]})).values()
        for name, tensor in alone.state_dict().items():
            assert torch.equal(tensor, classifier.state_dict()[name]), name
    assert not torch.equal(found["3"].heads.weight, found["0"].heads.weight)


@quiet
def test_all_that_is_random_of_a_classifier_comes_from_its_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn, original = [], module.derive_seed
    monkeypatch.setattr(module, "derive_seed", lambda *names: drawn.append(names) or original(*names))
    images = bright_halves(64, 0)
    module.train(images, images, facts_of(images.images, [2, 2]), SEVERAL)
    assert len(drawn) == 6 and [seed for _, seed in drawn] == [3, 3, 3, 0, 0, 0]


@quiet
def test_a_judge_is_the_same_beside_other_judges(tmp_path: Path) -> None:
    """Its checksum names what was measured with it, and is of its own weights."""
    images = bright_halves(64, 0)
    facts, path = facts_of(images.images, [2, 2]), DataFiles("tiny", tmp_path).classifier
    both = module.train(images, images, facts, SEVERAL)
    module.save(path, both, STUDY)
    space = parts.build(Features, parts.validate("features", {"name": "classifier"}), facts, tmp_path).by_judge()
    found = module.load(path)
    assert set(found) == set(space) == {"0", "3"}
    module.save(path, {"0": both["0"]}, STUDY)
    assert found["0"].weights_sha256 == load(path).weights_sha256 != found["3"].weights_sha256
    few = torch.from_numpy(images.images[:5])
    for seed, classifier in both.items():
        assert space[seed].weights_sha256 == found[seed].weights_sha256
        assert torch.equal(space[seed](few), classifier(few))


@quiet
def test_a_warning_names_one_of_several_classifiers() -> None:
    images, validation = bright_halves(64, 0), bright_halves(60, 1)
    for split in (images, validation):
        split.labels[:] = np.random.default_rng(9).integers(0, 2, split.labels.shape)
    with pytest.warns(LearnedNothing, match="^The classifier of seed 3 was not shown to be better than chance"):
        module.train(images, validation, facts_of(images.images, [2, 2]), SEVERAL)
