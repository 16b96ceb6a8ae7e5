"""What a run draws: switched labels, pairs to interpolate between, errors of reconstructions."""

from typing import Any

import numpy as np
import pytest
import torch

from vaeline.data.batches import Batches
from vaeline.data.facts import Facts
from vaeline.data.store import Split
from vaeline.models.model import Model
from vaeline.runs import drawing, redrawing, samples_file
from vaeline.study.schema import Variant

CLASSES = Facts("blots", (1, 4, 4), 8, (0.0, 1.0), ["shape"], [["round", "square", "odd"]], counts={"train": 9})
ATTRIBUTES = Facts(
    "blots", (1, 4, 4), 8, (0.0, 1.0), ["rare", "even", "same", "three"],
    [["no", "yes"], ["no", "yes"], ["always"], ["a", "b", "c"]], counts={"train": 9},
)  # fmt: skip
VARIANT: dict[str, Any] = {
    "network": {"name": "mlp", "widths": [8]}, "latent": 3, "condition": {"embedding": 2}, "posterior": {"name": "gaussian"},
    "prior": {"name": "conditional_flow"}, "likelihood": {"name": "learned_sigma"}, "regularizer": {"name": "kl"},
}  # fmt: skip


def model(facts: Facts, **parts: Any) -> Model:
    torch.manual_seed(0)
    return Model(Variant.model_validate(VARIANT | parts), facts).eval()


def batches(facts: Facts, count: int = 12) -> Batches:
    generator = np.random.default_rng(0)
    labels = np.stack([generator.integers(0, size, count) for size in facts.label_cardinalities], 1)
    images = generator.integers(0, 8, (count, 1, 4, 4)).astype(np.uint8)
    return Batches(Split(images, labels, [""] * count), facts, 5)


def drawn(of: Model, test: Batches, noise: bool = False, run_seed: int = 0) -> dict[str, np.ndarray]:
    """All datasets that `everything` draws, beside a training split of more images than the test split has."""
    found, train = {}, batches(test.facts, 20)
    for name, content in drawing.everything(of, train, test, 0, run_seed, noise):
        whole = content if isinstance(content, torch.Tensor) else torch.cat(list(content.batches))
        found[name] = whole.numpy()
    return found


def test_a_class_takes_all_values_and_attributes_switch_one_by_one() -> None:
    labels = torch.tensor([[2], [0], [1], [1], [0]])
    assert drawing.switches(labels, CLASSES).tolist() == [[[0], [1], [2]]] * 4
    labels = torch.tensor([[0, 0, 0, 2], [0, 1, 0, 0], [0, 1, 0, 1], [1, 0, 0, 2]])
    asked = drawing.switches(labels, ATTRIBUTES)
    assert asked[0].tolist() == [[0, 0, 0, 2], [1, 0, 0, 2], [0, 1, 0, 2], [0, 0, 0, 0]]
    assert torch.equal(asked[:, 0], labels)


def test_the_attributes_that_divide_images_most_evenly_are_switched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "MOST_SWITCHES", 2)
    labels = torch.tensor([[0, 0, 0, 2], [0, 1, 0, 2], [0, 1, 0, 2], [1, 0, 0, 2]])
    assert drawing.switches(labels, ATTRIBUTES)[0].tolist() == [[0, 0, 0, 2], [0, 1, 0, 2]]


def test_switched_labels_share_the_noise() -> None:
    of = model(ATTRIBUTES, prior={"name": "standard"}, condition={"embedding": 2, "encoder": False, "decoder": True})
    asked = drawing.switches(batches(ATTRIBUTES).labels, ATTRIBUTES)
    same = asked[:, :1].expand_as(asked)
    held = drawing.switched(of, same, ATTRIBUTES, seed=1)
    assert (held == held[:, :1]).all() and (held[0] != held[1]).any()
    found = drawing.switched(of, asked, ATTRIBUTES, seed=1)
    assert torch.equal(found[:, 0], held[:, 0]) and (found != held).any()


def test_pairs_share_or_change_their_class_on_request() -> None:
    labels = torch.tensor([[1], [0], [1], [1], [0], [2], [1]])
    first, second = drawing.pairs(labels, alike=True)
    assert list(zip(first.tolist(), second.tolist(), strict=True)) == [(1, 4), (0, 2), (3, 6)]
    first, second = drawing.pairs(labels, alike=False)
    assert list(zip(first.tolist(), second.tolist(), strict=True)) == [(0, 1), (2, 3), (4, 5)]
    assert not len(drawing.pairs(torch.tensor([[0], [1]]), alike=True)[0])


def test_interpolations_end_in_reconstructions() -> None:
    test = batches(CLASSES)
    found = drawn(model(CLASSES), test)
    first, second = drawing.pairs(test.labels, alike=True)
    for name in ("interpolations", "interpolations_through_flow"):
        ways = found[name].astype(int)
        assert ways.shape == (4, 9, 1, 4, 4)
        for end, rows in ((0, first), (-1, second)):  # up to the noise of dequantization and the flow's rounding
            assert np.abs(ways[:, end] - found["reconstructions"][rows]).max() <= 1
    assert "interpolations_through_flow" not in drawn(model(CLASSES, prior={"name": "standard"}), test)


def test_every_dataset_that_is_drawn_is_in_the_table() -> None:
    assert drawn(model(CLASSES), batches(CLASSES)).keys() <= samples_file.DATASETS.keys()


def test_each_reconstruction_has_its_own_error() -> None:
    test = batches(CLASSES)
    found = drawn(model(CLASSES), test)
    real = test.images.numpy().astype(float)  # type: ignore[union-attr]
    expected = np.square(real - found["reconstructions"]).reshape(12, -1).mean(1)
    np.testing.assert_allclose(found["reconstruction_errors"], expected, rtol=1e-6)


def test_noise_is_added_to_samples_alone_and_moves_no_latent() -> None:
    of = model(CLASSES, likelihood={"name": "fixed_sigma", "sigma": 0.2})
    mean, noisy, again = (drawn(of, batches(CLASSES), noise) for noise in (False, True, True))
    with_noise = {"samples", "switched", "low_posterior", "high_posterior"}
    assert mean.keys() == noisy.keys() >= with_noise
    for name, values in mean.items():
        assert np.array_equal(values, noisy[name]) == (name not in with_noise), name
        assert np.array_equal(noisy[name], again[name]), name
    spread = np.abs(noisy["samples"].astype(int) - mean["samples"]).mean()  # 0.2 of 8 levels: 1.6 x 0.8 before clipping
    assert 0.6 < spread < 1.6


@pytest.mark.parametrize("noise", [False, True])
def test_low_posterior_samples_are_decoded_again_from_their_codes(noise: bool) -> None:
    of = model(CLASSES, likelihood={"name": "fixed_sigma", "sigma": 0.2})
    found = drawn(of, batches(CLASSES), noise, run_seed=3)
    latents = samples_file.Latents(found["low_posterior_codes"], found["low_posterior_labels"])
    none = np.zeros((0, 1, 8, 8), np.uint8)
    of_run = samples_file.DrawnImages(none, none, none, none, None, 0, "drawn" if noise else "mean", latents)
    again = redrawing.with_low_posterior(of_run, of, CLASSES, run_seed=3).low_posterior
    assert again is not None and len(again) == 12
    assert len(found["low_posterior"]) == 10 and np.array_equal(again[:10], found["low_posterior"])


def test_a_model_without_labels_has_no_labels_to_switch() -> None:
    found = drawn(model(CLASSES, condition=None, prior={"name": "standard"}), batches(CLASSES))
    assert "switched" not in found and "interpolations" in found
