"""A trained run in Python: results and refusals."""

import subprocess
import sys
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import vaeline
from vaeline.data import splits, store
from vaeline.data.facts import Facts, UnseenLabels
from vaeline.data.store import Split
from vaeline.metrics.nll import Unconverged
from vaeline.models.model import Model
from vaeline.runs import model_files
from vaeline.runs.trained_run import TrainedRun
from vaeline.study.schema import Variant
from vaeline.system.errors import UserError

FACTS = Facts("blots", (1, 4, 4), 8, (0.0, 1.0), ["shape", "dark"], [["round", "square", "odd"], ["no", "yes"]])
CLASSES = Facts("blots", (1, 4, 4), 8, (0.0, 1.0), ["shape"], [["round", "square", "odd"]])
PLAIN: dict[str, Any] = {
    "network": {"name": "mlp", "widths": [8]}, "latent": 3, "condition": None, "posterior": {"name": "gaussian"},
    "prior": {"name": "standard"}, "likelihood": {"name": "learned_sigma"}, "regularizer": {"name": "kl"},
}  # fmt: skip
CONDITIONAL: dict[str, Any] = PLAIN | {"condition": {"embedding": 2}}
Make = Callable[..., TrainedRun]


@pytest.fixture
def made(tmp_path: Path) -> Make:
    """Write an untrained run of a study, and the store beside it; load it."""

    def make(variant: dict[str, Any], facts: Facts = FACTS) -> TrainedRun:
        generator = np.random.default_rng(0)

        def split(count: int) -> Split:
            labels = [generator.integers(0, values, count) for values in facts.label_cardinalities]
            images = generator.integers(0, facts.levels, (count, *facts.image_shape)).astype(np.uint8)
            return Split(images, np.stack(labels, 1), [f"{row}" for row in range(count)])

        known = store.write(tmp_path / "data/blots.h5", facts, {name: split(30) for name in splits.SPLITS})
        folder = tmp_path / "results/tiny/runs/one/seed-0"
        torch.manual_seed(0)
        model_files.save(folder, Model(Variant.model_validate(variant), known), known, {})
        return vaeline.load(folder)

    return make


def test_labels_that_are_not_named_come_from_test_images(made: Make) -> None:
    run = made(CONDITIONAL)
    labels = run.labels(200, shape="odd")
    assert (labels[:, 0] == 2).all() and set(labels[:, 1]) == {0, 1}
    assert run.labels(2, {"shape": 1}, dark=[1, "no"]).tolist() == [[1, 1], [1, 0]]
    assert (run.labels(9, seed=1) == run.labels(9, seed=1)).all() and (run.labels(9) != run.labels(9, seed=1)).any()


def test_samples_follow_from_the_seed_alone(made: Make) -> None:
    run = made(CONDITIONAL)
    torch.manual_seed(7)
    one, other = run.sample(300, shape=0), run.sample(300, shape=0)
    drawn = torch.rand(1)
    torch.manual_seed(7)
    assert drawn == torch.rand(1)
    assert one.shape == (300, 1, 4, 4) and one.dtype == np.uint8 and one.max() < 8
    assert (one == other).all() and (one != run.sample(300, shape=0, seed=1)).any()
    labels = run.labels(300, shape=0)
    np.testing.assert_array_equal(run.decode(run.draw(labels), labels)[:256], one[:256])


def test_images_are_edited_by_decoding_with_other_labels(made: Make) -> None:
    run = made(CONDITIONAL)
    images, labels = run.split().images[:6], run.split().labels[:6]
    z = run.encode(images, labels)
    np.testing.assert_array_equal(run.reconstruct(images, labels), run.decode(z, labels))
    edited = labels.copy()
    edited[:, 1] = 1
    np.testing.assert_array_equal(run.reconstruct(images, labels, dark="yes"), run.decode(z, edited))
    assert z.shape == (6, 3) and (run.reconstruct(images, labels, dark=0) != run.decode(z, edited)).any()


def test_log_prob_averages_classes_by_their_frequency(made: Make) -> None:
    run = made(CONDITIONAL, CLASSES)
    images = run.split().images[:5]
    given = [run.log_prob(images, np.full((5, 1), label), samples=4000, seed=label) for label in range(3)]
    shares = np.bincount(run.split("train").labels[:, 0], minlength=3) / 30
    marginal = np.log(sum(share * np.exp(each) for share, each in zip(shares, given, strict=True)))
    # Noise that dequantizes is of the seed too.
    assert run.log_prob(images, samples=4000) == pytest.approx(marginal, abs=1.0)
    assert run.log_prob(images, samples=4000).mean() == pytest.approx(marginal.mean(), abs=0.3)


def test_log_prob_of_a_decoder_that_ignores_z_is_exact(made: Make) -> None:
    variant = PLAIN | {"likelihood": {"name": "fixed_sigma", "sigma": 0.3}}
    run = made(variant, replace(CLASSES, pixels="greys"))
    with torch.no_grad():
        for parameter in run.model.network.parameters():
            parameter.zero_()
        mean = run.model.decode(torch.zeros(1, 3), torch.zeros(1, 1, dtype=torch.long)).double()
    x = torch.from_numpy(run.split().images[:4]).double() / 7
    expected = torch.distributions.Normal(mean, float(run.model.likelihood.sigma)).log_prob(x).flatten(1).sum(1)
    assert run.log_prob(run.split().images[:4], samples=50) == pytest.approx(expected.numpy(), rel=1e-5)


def test_few_effective_samples_give_a_warning(made: Make) -> None:
    run = made(PLAIN | {"likelihood": {"name": "fixed_sigma", "sigma": 0.001}})
    with pytest.warns(Unconverged, match="3 of 3 images have an effective sample size under 10"):
        assert run.log_prob(run.split().images[:3], samples=10).shape == (3,)


def test_latents_interpolate_directly_or_through_the_flow(made: Make) -> None:
    run = made(PLAIN | {"prior": {"name": "decoupled"}})
    ends = run.encode(run.split().images[:4])
    straight = run.interpolate(ends[:2], ends[2:], 5)
    through = run.interpolate(ends[:2], ends[2:], 5, through_flow=True)
    assert straight.shape == through.shape == (2, 5, 3)
    np.testing.assert_allclose(straight[:, 2], (ends[:2] + ends[2:]) / 2, atol=1e-6)
    for way in (straight, through):
        np.testing.assert_allclose(way[:, [0, -1]], np.stack([ends[:2], ends[2:]], 1), atol=1e-4)
    with torch.no_grad():
        u = run.model.prior.flow(torch.from_numpy(through).flatten(0, 1))[0].unflatten(0, (2, 5))
    np.testing.assert_allclose(u[:, 2], (u[:, 0] + u[:, -1]) / 2, atol=1e-4)


def mistakes() -> list[tuple[dict[str, Any], Callable[[TrainedRun], object], str]]:
    return [
        (CONDITIONAL, lambda run: run.sample(4, shape=3), "shape has no value '3'; it has: round, square, odd"),
        (CONDITIONAL, lambda run: run.sample(4, size=1), "no label 'size'; there are: shape, dark"),
        (CONDITIONAL, lambda run: run.sample(4, shape=[0, 1]), "shape has 2 values for 4 images"),
        (CONDITIONAL, lambda run: run.reconstruct(run.split().images), "conditional: give the images' labels"),
        (CONDITIONAL, lambda run: run.decode(np.zeros((2, 3), np.float32), np.zeros((3, 2), int)), "2 images take whole"),
        (CONDITIONAL, lambda run: run.decode(np.zeros((1, 3), np.float32), np.full((1, 2), 2)), "label is out of range"),
        (CONDITIONAL, lambda run: run.log_prob(run.split().images), "no p.y. to sum over"),
        (PLAIN, lambda run: run.sample(4, shape=0), "is not conditional, so shape cannot be set"),
        (PLAIN, lambda run: run.encode(run.split().images / 8), r"takes uint8 \(n, 1, 4, 4\)"),
        (PLAIN, lambda run: run.encode(run.split().images[:, :, :2]), r"Images are uint8 \(30, 1, 2, 4\)"),
        (PLAIN, lambda run: run.encode(run.split().images + np.uint8(200)), "levels of this run's images are 0 to 7"),
        (PLAIN, lambda run: run.log_prob(run.split().images, samples=9), "takes at least 10"),
        (PLAIN, lambda run: run.interpolate(np.zeros((1, 3)), np.zeros((1, 3)), 3, True), "no flow to interpolate through"),
        (PLAIN, lambda run: run.interpolate(np.zeros((1, 3)), np.zeros((2, 3))), r"both must be \(n, latent\)"),
        (PLAIN | {"posterior": {"name": "deterministic"}, "regularizer": {"name": "none"}},
         lambda run: run.log_prob(run.split().images), "no likelihood to estimate: q.z.x. is a point"),
    ]  # fmt: skip


@pytest.mark.parametrize(("variant", "mistake", "sentence"), mistakes())
def test_mistakes_are_named(
    made: Make, variant: dict[str, Any], mistake: Callable[[TrainedRun], object], sentence: str
) -> None:
    run = made(variant)
    with pytest.raises(UserError, match=sentence):
        mistake(run)


def test_a_store_of_different_images_is_refused_when_used(made: Make, tmp_path: Path) -> None:
    run = made(PLAIN)
    (tmp_path / "data/blots.h5").unlink()
    assert run.sample(3).shape == (3, 1, 4, 4)
    with pytest.raises(UserError, match=r"There is no .*blots.h5"):
        run.split()
    with pytest.raises(UserError, match=r"nowhere.variant.yaml is missing"):
        vaeline.load("nowhere")


def test_torch_is_imported_only_for_a_run() -> None:
    code = "import sys, vaeline; assert 'torch' not in sys.modules; vaeline.load; assert 'torch' in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        vaeline.nothing  # noqa: B018


def test_labels_that_training_never_saw_are_called_out(made: Make) -> None:
    run, images = made(CONDITIONAL), np.zeros((2, *FACTS.image_shape), np.uint8)
    run.facts = replace(run.facts, training_counts=[[30, 0, 0], [15, 15]])
    with pytest.warns(UnseenLabels, match=r"4 of 4 images to draw .*: shape=odd \(4\)"):
        run.sample(4, shape="odd", dark=0)
    with pytest.warns(UnseenLabels, match=r"1 of 2 images .*: shape=square \(1\)"):
        run.encode(images, np.array([[0, 0], [1, 0]]))
    with pytest.warns(UnseenLabels, match=r"2 of 2 images .*: shape=odd \(2\)"):
        run.reconstruct(images, np.zeros((2, 2), int), shape=2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run.sample(4, shape="round", dark=1)
        made(PLAIN).sample(4)
