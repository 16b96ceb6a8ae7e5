"""Every entry of every study on a few made-up images: it trains, is saved and loaded, samples and is evaluated."""

import json
from dataclasses import replace
from functools import cache
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric

from tests.made_up import OF_RUN, learned
from vaeline.data.batches import Batches
from vaeline.data.facts import Facts
from vaeline.data.store import Split
from vaeline.evaluation import raw_latents
from vaeline.evaluation.classifier import Classifier
from vaeline.evaluation.feature_space import Features
from vaeline.evaluation.images import Judges, measure_images
from vaeline.evaluation.latents import measure_latents
from vaeline.evaluation.likelihood import measure_likelihood
from vaeline.evaluation.record import Record
from vaeline.evaluation.reference_measurement import SplitsToMeasure, measure
from vaeline.evaluation.representation import measure_representation
from vaeline.models import low_posterior, sampling
from vaeline.models.aggregate_posterior import aggregate_posterior, why_no_aggregate
from vaeline.models.latent import SAMPLED
from vaeline.models.model import Model
from vaeline.runs import model_files
from vaeline.runs.samples_file import DrawnImages
from vaeline.study import ready_studies
from vaeline.study.schema import Evaluation, Study, Training, Variant
from vaeline.training import density_fit, loop, pretraining
from vaeline.training.checkpoints import Checkpoints
from vaeline.training.job import Job

ROOT = Path(__file__).parents[1]
CHANNELS = {"celeba": 3, "svhn": 3, "two_moons": 2}
EPOCHS, BATCHES = 4, 25  # 100 steps; a checkpoint after each epoch takes longer than a step
SMALL_BATCH, LARGE_BATCH = 3, 8  # for images of at least 64x64, whose steps take long; for others
SMALLER: dict[str, Any] = {
    "width": 6, "hidden": 8, "pseudo_inputs": 6, "depth": 3, "samples": 3, "codes": 12, "epochs": 1, "components": 2,
    "context": 4, "start": 10, "steps": 2,
}  # fmt: skip
RATED = ["negative_elbo", "rate"]
OF_AGGREGATE = ["skl", "mutual_information", "leaked_share"]
OF_PRIOR = ["skl", "leaked_share"]


class Trained(NamedTuple):
    model: Model
    facts: Facts
    train: Batches
    start: dict[str, torch.Tensor]  # the weights before training
    before: float
    after: float


def entries() -> list[tuple[str, str]]:
    """Study and variant of every entry, from small images to large ones; the same system on the same kind of images once."""
    found: dict[str, tuple[str, str]] = {}
    studies = sorted({path.stem for path in (ROOT / "studies").glob("*.yaml")} - {"published"})
    for study in sorted(studies, key=lambda study: resolved(study).dataset.size or 0):
        for entry, variant in resolved(study).variants.items():
            found.setdefault(json.dumps([variant.model_dump(mode="json"), kind_of_images(study)]), (study, entry))
    return list(found.values())


def marked_entries() -> list[Any]:
    """The entries as parameters; an entry is slow if quicker ones try its network on such images and its other parts."""
    tried: set[str] = set()
    found = []
    for study, entry in entries():
        system = resolved(study).variants[entry].model_dump(mode="json")
        network = system.pop("network")["name"]
        mechanisms = {json.dumps(without_numbers(system)), json.dumps([network, kind_of_images(study)])}
        slow = [pytest.mark.slow(reason="quicker entries try its parts")] if mechanisms <= tried else []
        found.append(pytest.param((study, entry), marks=slow, id=f"{study}-{entry}"))
        tried |= mechanisms
    return found


def kind_of_images(study: str) -> tuple[Any, ...]:
    """Size, channels and meaning of the pixels."""
    dataset = resolved(study).dataset
    return dataset.size, CHANNELS.get(dataset.name, 1), dataset.pixels


def without_numbers(value: Any) -> Any:
    """A system with each number other than 0, which may switch something off, replaced by a word."""
    if isinstance(value, dict):
        return {name: without_numbers(each) for name, each in value.items()}
    if isinstance(value, list):
        return [without_numbers(each) for each in value]
    return "number" if type(value) in (int, float) and value else value


@cache
def resolved(name: str) -> Study:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        return ready_studies.resolve(name)


def smaller(value: Any, key: str = "") -> Any:
    """An entry with narrower layers and the same parts, so that a hundred steps take about a second."""
    if isinstance(value, dict):
        return {name: smaller(each, name) for name, each in value.items()}
    if isinstance(value, list):
        return [min(each, 24) if key == "widths" else smaller(each) for each in value]
    return min(value, SMALLER[key]) if key in SMALLER and isinstance(value, int) else value


def batch_size(study: Study) -> int:
    return SMALL_BATCH if (study.dataset.size or 0) >= 64 else LARGE_BATCH


def made_up(study: Study) -> tuple[Facts, dict[str, Split]]:
    """Dark and bright noise, or points about 0 and 1, each with a label that says which."""
    size, channels = study.dataset.size, CHANNELS.get(study.dataset.name, 1)
    shape = (channels,) if size is None else (channels, size, size)
    facts = Facts(
        "tiny", shape, 0 if size is None else 256, study.dataset.range, ["kind"], [["dark", "bright"]],
        pixels="points" if size is None else study.dataset.pixels, counts={"train": BATCHES * batch_size(study), "validation": 8, "test": 8},
    )  # fmt: skip
    if study.dataset.name in ("celeba", "shapes"):
        facts = replace(facts, label_names=["Male", "Young"], label_values=[["no", "yes"]] * 2)
    generator = np.random.default_rng(0)
    splits = {}
    for name, count in facts.counts.items():
        labels = np.arange(count)[:, None] // np.array([1, 2])[: len(facts.label_names)] % 2
        bright = labels[:, :1].reshape(-1, *[1] * len(shape))
        if size is None:
            images = (bright + 0.1 * generator.standard_normal((count, *shape))).astype(np.float32)
        else:
            images = generator.integers(0, 160, (count, *shape)) + bright * 80
            images = (np.where(images > 128, 255, 0) if study.dataset.pixels == "static_binary" else images).astype(
                np.uint8
            )
        splits[name] = Split(images, labels.astype(np.int64), [str(row) for row in range(count)])
    return facts, splits


@pytest.fixture(scope="module", params=marked_entries())
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    study_name, entry = request.param
    study = resolved(study_name)
    facts, splits = made_up(study)
    variant = Variant.model_validate(smaller(study.variants[entry].model_dump(mode="json")))
    settings = Training(
        epochs=EPOCHS,
        validate_every=EPOCHS,
        batch_size=batch_size(study),
        learning_rate=0.001,
        device="cpu",
        gradient_clip=10.0,
    )
    train, validation = (Batches(splits[name], facts, batch_size(study)) for name in ("train", "validation"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp(entry))
        torch.set_num_threads(1)
        torch.manual_seed(0)
        model = Model(variant, facts)
        pretraining.pretrain(model, train, 0, Checkpoints("c", {}))
        before = objective(model, train)
        start = weights_of(model)  # after a first pass, which places a codebook among the codes it sees
        fabric = Fabric(accelerator="cpu", devices=1)
        loop.train(Job(model, train, validation, settings, seed=0), Checkpoints("a", {}), fabric, lambda row: None)
        after = objective(model, train)
        if model.density is not None:
            density_fit.fit_density(model, train, 0, Checkpoints("b", {}))
    return Trained(model, facts, train, start, before, after)


def weights_of(model: Model) -> dict[str, torch.Tensor]:
    """A copy of every weight of the model and of its adversary, if it has one."""
    adversary = model.regularizer.adversary
    named = [*model.named_parameters(), *(adversary.network.named_parameters("adversary") if adversary else ())]
    return {name: each.detach().clone() for name, each in named}


@torch.no_grad()
def objective(model: Model, batches: Batches) -> float:
    """The objective of the training images, with every schedule at its end.

    The model is in training mode, since a likelihood that is fitted to its batch is so in that mode only. This moves the
    running moments of batch norm too, by the images of the training.
    """
    model.train()
    torch.manual_seed(1)
    value = sum(float(model(x, labels).total) for x, labels in batches.ordered(0)) / len(batches)
    model.eval()
    return value


def test_a_hundred_steps_lower_its_objective(trained: Trained) -> None:
    assert trained.after < trained.before


def test_every_parameter_gets_a_gradient(trained: Trained) -> None:
    """Adam moves a weight that had a gradient at any step."""
    now = weights_of(trained.model)
    assert now.keys() == trained.start.keys()
    assert not [name for name, start in trained.start.items() if torch.equal(now[name], start)]


def test_every_term_changes_the_objective(trained: Trained) -> None:
    model = trained.model.train()
    x, labels = next(trained.train.ordered(0))
    torch.manual_seed(0)
    found = model(x, labels)
    weights = model.trained_jointly()
    whole = torch.autograd.grad(found.total, weights, retain_graph=True, allow_unused=True)
    for name, term in found.terms.items():
        others = [other for of, other in found.terms.items() if of != name]
        rest = (
            torch.autograd.grad(sum(others), weights, retain_graph=True, allow_unused=True)
            if others
            else [None] * len(whole)
        )
        assert term.detach().abs() > 0
        assert any(
            one is not None and (other is None or not torch.equal(one, other))
            for one, other in zip(whole, rest, strict=True)
        ), name
    model.eval()


def test_it_saves_and_loads(trained: Trained, tmp_path: Path) -> None:
    model_files.save(tmp_path, trained.model, trained.facts, OF_RUN)
    again, facts = model_files.load(tmp_path)
    assert facts == trained.facts
    x, labels = next(trained.train.ordered(0))
    drawn = []
    for model in (trained.model.eval(), again):
        torch.manual_seed(3)
        with torch.no_grad():
            drawn.append((model.reconstruct(x, labels), model.decode(model.draw(labels), model.condition(labels))))
    for one, other in zip(*drawn, strict=True):
        torch.testing.assert_close(one, other)


def test_it_samples_inside_the_range(trained: Trained) -> None:
    model, facts = trained.model.eval(), trained.facts
    labels = next(trained.train.ordered(0))[1]
    with torch.no_grad():
        samples = model.decode(model.draw(labels), model.condition(labels))
    assert samples.shape == (len(labels), *facts.image_shape) and samples.isfinite().all()
    if not facts.points:
        assert samples.min() >= facts.range[0] and samples.max() <= facts.range[1]


@pytest.mark.filterwarnings("ignore::vaeline.metrics.nll.Unconverged")
def test_a_metric_without_a_meaning_is_a_dash(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    model, kind = trained.model.eval(), trained.model.posterior.kind
    monkeypatch.setattr(raw_latents, "SAMPLES", 200)  # each costs a solution of an equation in some models
    settings = Evaluation.model_validate(
        {
            "likelihood": {
                "method": "posterior",
                "samples": 20,
            },  # modes cost minutes here; the contract tests have them
            "bound_samples": 2,
            "images": 4,
            "features": {"name": "classifier"},
        }
    )
    few = trained.train.spread(24)
    record = measure_likelihood(model, few, few, settings)
    record.join(measure_latents(model, few, few, 0))
    record.join(measure_representation(model, few, few, 0))
    assert all(isfinite(value) for value in record.metrics.values())
    pixels, has_sigma, sampled = (
        trained.facts.pixels,
        model.likelihood.sigma is not None,
        kind in SAMPLED,
    )
    estimated = sampled and model.latent_density.log_prob_error is None
    likelihoods = {
        "nll": estimated and (not model.conditional or trained.facts.classes),
        "nll_given_label": estimated and model.conditional,
    }
    levels = model.likelihood.of_levels and pixels == "greys"
    coded = pixels == "dequantized" or (pixels.endswith("binary") and not has_sigma) or levels
    expected = {
        **dict.fromkeys(RATED, kind != "point"),
        **dict.fromkeys(OF_AGGREGATE, not why_no_aggregate(model)),
        **(dict.fromkeys(OF_PRIOR, False) if model.latent_density.samples_differ else {}),
        "active_units": sampled,
        "probe_linear": True,
        "probe_neighbours": True,
        "clustering": True,
        "mig": trained.facts.factors and kind == "gaussian",
        **likelihoods,
        **{
            f"{name}_refit": there and has_sigma and pixels in ("dequantized", "points")
            for name, there in likelihoods.items()
        },
        "bits_per_dim": likelihoods["nll"] and coded,
        "bits_per_dim_given_label": likelihoods["nll_given_label"] and coded,
        "sigma": has_sigma,
        "codebook_perplexity": kind == "discrete",
        "log_det_deviation": kind == "flow",
        "upper_rate": kind == "ladder",
        "parameters": True,
    }
    assert_measured(record, expected)
    if has_sigma:
        measure = "density of pixels"
    elif coded:
        measure = f"probability of {'levels' if levels else 'pixels'}"
    else:
        measure = "cross-entropy of grey pixels"
    assert kind == "point" or record.evaluation["negative_elbo"]["measure"] == (
        f"{measure}{' given the label' * model.conditional}"
    )
    assert kind != "flow" or record.metrics["log_det_deviation"] > 0  # a flow that does nothing has 0


def test_its_samples_are_evaluated(trained: Trained) -> None:
    model, train, facts = trained.model.eval(), trained.train, trained.facts
    if facts.points:
        pytest.skip("points are not pictures")
    drawn = {
        "reconstructions": torch.cat(list(sampling.reconstruct(model, train, 0))).numpy(),
        "samples": torch.cat(list(sampling.sample(model, train.labels, facts, 0))).numpy(),
    }
    low = None
    aggregated = not why_no_aggregate(model)
    if aggregated:
        aggregate = aggregate_posterior(model, train, 0)
        z, asked = low_posterior.low_posterior(model, aggregate, train.labels, 0)
        low = torch.cat(list(sampling.decode(model, z, asked, facts))).numpy()
    split, counts = Split(train.images.numpy(), train.labels.numpy(), []), {"test": len(train.images)}
    classifier = Classifier(facts.image_shape, facts.levels, facts.label_cardinalities, 2, 2).eval()
    classifier.skill = learned(*facts.label_names)
    facts = replace(facts, counts=counts)
    judges = Judges(
        Quadrants(),
        measure(Quadrants(), {"0": classifier}, SplitsToMeasure(split, split, facts, np.arange(len(split.images))), 0),
        {"0": classifier},
        facts,
    )
    rows = np.arange(len(split.labels))
    images = DrawnImages(**drawn, labels=split.labels, test_index=rows, low_posterior=low, seed=0)
    record = measure_images(images, judges, model.conditional)
    assert all(isfinite(value) for value in record.metrics.values())
    expected = {
        "fd_reconstruction": True, "fd_sample": True, "fd_low_posterior": aggregated, "kd_sample": True,
        "precision": True, "recall": True, "density": True, "coverage": True,
        "condition_accuracy": model.conditional, "held_out_accuracy": False,
    }  # fmt: skip
    assert_measured(record, expected)


class Quadrants(Features):
    """A cheap feature space: the mean brightness of the four quarters of an image."""

    prefix, description, weights_sha256 = "fd", "quarters", "none"

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.adaptive_avg_pool2d(images.float(), 2).flatten(1)


def assert_measured(record: Record, expected: dict[str, bool]) -> None:
    """Each metric has a value, or a dash that says why it has none."""
    for metric, there in expected.items():
        assert (metric in record.metrics) == there, metric
        assert there or record.evaluation[metric]["dash"], metric
