"""The model: its ELBO in closed form, all combinations of parts, and its files."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from math import log
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch.distributions import Normal, kl_divergence

from tests.made_up import OF_RUN
from vaeline.data.facts import Facts
from vaeline.models.model import Model
from vaeline.models.shape_checks import check_shapes
from vaeline.runs.model_files import load, save
from vaeline.study import parts
from vaeline.study.schema import Variant
from vaeline.system.errors import UserError

FACTS = Facts(
    "tiny", (1, 8, 8), 17, (-1.0, 1.0), ["digit"], [["0", "1", "2"]], counts={"train": 40, "validation": 12, "test": 4}
)
ATTRIBUTES = replace(FACTS, label_names=["Male", "Young"], label_values=[["no", "yes"], ["no", "yes"]])


CONV = {"name": "conv", "width": 4, "depth": 2}


def variant(**changes: Any) -> Variant:
    entry = {
        "network": {"name": "mlp", "widths": [16]}, "latent": 3, "condition": {"embedding": 4},
        "posterior": {"name": "gaussian"}, "prior": {"name": "standard"}, "likelihood": {"name": "unit_gaussian"},
        "regularizer": {"name": "kl"},
    }  # fmt: skip
    return Variant.model_validate({**entry, **changes})


@pytest.fixture
def x() -> torch.Tensor:
    return torch.rand(5, 1, 8, 8) * 2 - 1


@pytest.fixture
def labels() -> torch.Tensor:
    return torch.tensor([[0], [1], [2], [0], [1]])


COMBINATIONS = list(itertools.product(["mlp", "conv"], parts.names("priors"), ["unit_gaussian", "optimal_sigma"]))


@pytest.mark.parametrize(("network", "prior", "likelihood"), [each for each in COMBINATIONS if each[1] != "uniform"])
def test_every_combination_trains_and_samples(
    network: str, prior: str, likelihood: str, x: torch.Tensor, labels: torch.Tensor
) -> None:
    norm = "none" if prior == "vamp" else "batch"
    small = {"name": "conv", "width": 4, "depth": 2, "norm": norm} if network == "conv" else {"name": network}
    condition = {"embedding": 4, "encoder": prior != "vamp"}
    entry = variant(network=small, prior={"name": prior}, likelihood={"name": likelihood}, condition=condition)
    model = Model(entry, FACTS)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    objectives = []
    for step in range(30):
        objective = model(x, labels, step).total
        optimizer.zero_grad()
        objective.backward()
        optimizer.step()
        objectives.append(objective.item())
    assert sum(objectives[-5:]) < sum(objectives[:5])
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())
    samples = model.eval().decode(model.draw(labels), model.condition(labels))
    assert samples.shape == x.shape and samples.abs().max() <= 1


def test_the_elbo_matches_torchs_densities(x: torch.Tensor, labels: torch.Tensor) -> None:
    model = Model(variant(), FACTS).eval()
    torch.manual_seed(1)
    elbo = model.elbo(x, labels)
    torch.manual_seed(1)
    condition = model.condition(labels)
    latent = model.encode(x, condition)
    q = Normal(latent.mean, (0.5 * latent.log_var).exp())
    torch.testing.assert_close(elbo.rate, kl_divergence(q, Normal(0.0, 1.0)).sum(1))
    expected = -Normal(model.decode(latent.z, condition), 1.0).log_prob(x).sum((1, 2, 3))
    torch.testing.assert_close(elbo.distortion, expected)


def test_a_sampled_rate_is_right_on_average(x: torch.Tensor, labels: torch.Tensor) -> None:
    """An untrained flow is the identity, so that the flow prior's rate has the closed form of its base."""
    model = Model(variant(prior={"name": "conditional_flow"}), FACTS).eval()
    many, named = x[:1].expand(20_000, -1, -1, -1), labels[:1].expand(20_000, -1)
    with torch.no_grad():
        sampled = model.elbo(many, named).rate
        condition = model.condition(labels[:1])
        closed = model.prior.base.kl(model.encode(x[:1], condition), condition)
    assert float(sampled.mean()) == pytest.approx(float(closed), abs=4 * float(sampled.std()) / 20_000**0.5)


def test_the_rates_weight_changes_the_objective_only(x: torch.Tensor, labels: torch.Tensor) -> None:
    model = Model(variant(regularizer={"name": "kl", "weight": 4}), FACTS).eval()
    objective = model(x, labels)
    torch.testing.assert_close(objective.terms["kl"], 4 * objective.logged["rate"])
    torch.testing.assert_close(objective.total, objective.terms["distortion"] + objective.terms["kl"])


@pytest.mark.parametrize("half", ["encoder", "decoder"])
def test_an_unconditioned_network_ignores_labels(half: str, x: torch.Tensor) -> None:
    model = Model(variant(condition={"embedding": 4, half: False}), FACTS).eval()
    one, other = model.condition(torch.zeros(5, 1).long()), model.condition(torch.ones(5, 1).long())
    z = torch.randn(5, 3)
    encodings = torch.equal(model.encode(x, one).mean, model.encode(x, other).mean)  # type: ignore[arg-type]
    assert encodings == (half == "encoder")
    assert torch.equal(model.decode(z, one), model.decode(z, other)) == (half == "decoder")


def test_a_model_without_condition_takes_any_labels(x: torch.Tensor, labels: torch.Tensor) -> None:
    model = Model(variant(condition=None), FACTS).eval()
    assert not model.conditional and model.condition(labels) is None
    assert torch.equal(model.reconstruct(x, labels), model.reconstruct(x, labels * 0))


def test_each_attribute_value_has_its_own_embedding() -> None:
    model = Model(variant(), ATTRIBUTES)
    rows = torch.tensor([[0, 0], [0, 1], [1, 0], [1, 1]])
    condition = model.condition(rows)
    assert condition is not None and condition.shape == (4, 8)
    table = model.embedding.table.weight  # type: ignore[union-attr]
    torch.testing.assert_close(condition[1], torch.cat([table[0], table[3]]))
    torch.testing.assert_close(condition[2], torch.cat([table[1], table[2]]))


def test_a_saved_model_loads_and_saves_the_same_bytes(tmp_path: Path, x: torch.Tensor, labels: torch.Tensor) -> None:
    model = Model(variant(likelihood={"name": "optimal_sigma"}, prior={"name": "conditional_flow"}), FACTS).eval()
    model.likelihood.calibrate(0.09)
    save(tmp_path / "a", model, FACTS, OF_RUN)
    again, facts = load(tmp_path / "a")
    assert facts == FACTS and float(again.likelihood.sigma) == pytest.approx(0.3)
    torch.testing.assert_close(again.reconstruct(x, labels), model.reconstruct(x, labels))
    save(tmp_path / "b", again, facts, OF_RUN)
    for name in ("model.safetensors", "variant.yaml"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_saved_model_has_the_bytes_that_safetensors_writes(tmp_path: Path) -> None:
    model = Model(variant(likelihood={"name": "optimal_sigma"}, prior={"name": "conditional_flow"}), FACTS)
    save(tmp_path, model, FACTS, OF_RUN)
    save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, tmp_path / "theirs")
    assert (tmp_path / "model.safetensors").read_bytes() == (tmp_path / "theirs").read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"model.safetensors", "variant.yaml", "theirs"}


@pytest.mark.parametrize(
    ("file", "damage", "sentence"),
    [
        (
            "model.safetensors",
            lambda path: path.unlink(),
            "There is no .*model.safetensors; give the folder of a run, or get it again",
        ),
        ("model.safetensors", lambda path: path.write_bytes(path.read_bytes()[:-20]), "model.safetensors is damaged"),
        ("model.safetensors", lambda path: path.write_bytes(b"<html>"), "model.safetensors is damaged"),
        ("variant.yaml", lambda path: path.write_text("a: ["), "variant.yaml is damaged"),
        ("variant.yaml", lambda path: path.write_text("variant: {}"), "variant.yaml is damaged or of another version"),
        (
            "variant.yaml",
            lambda path: path.write_text(path.read_text().replace("latent: 3", "latent: 7")),
            "variant.yaml is damaged .*its checksum differs",
        ),
        (
            "model.safetensors",
            lambda path: (
                save(path.parent / "other", Model(variant(), FACTS), FACTS, OF_RUN)
                or (path.parent / "other" / path.name).rename(path)
            ),
            "it is not the one that variant.yaml describes",
        ),
    ],
)
def test_a_damaged_run_is_reported(tmp_path: Path, file: str, damage: Any, sentence: str) -> None:
    save(tmp_path, Model(variant(), FACTS), FACTS, OF_RUN)
    damage(tmp_path / file)
    with pytest.raises(UserError, match=sentence):
        load(tmp_path)


CODES = {
    "posterior": {"name": "vector_quantized"}, "network": CONV, "prior": {"name": "uniform"},
    "regularizer": {"name": "commitment"},
}  # fmt: skip
SENSELESS = {
    "kl of points": ({"posterior": {"name": "deterministic"}}, "take regularizer none, or mmd with alpha 1"),
    "mmd of points": (
        {"posterior": {"name": "deterministic"}, "regularizer": {"name": "mmd"}},
        "has no rate to weigh; set alpha to 1",
    ),
    "total correlation of a flow": (
        {"posterior": {"name": "flow"}, "regularizer": {"name": "total_correlation"}},
        "take one of them, or regularizer factor",
    ),
    "commitment of vectors": ({"regularizer": {"name": "commitment"}}, "only posterior vector_quantized has"),
    "codes of a perceptron": (
        {**CODES, "network": {"name": "mlp"}},
        "needs a map; take network conv",
    ),
    "a Gaussian prior over codes": (
        {**CODES, "prior": {"name": "standard"}},
        "take prior uniform",
    ),
    "kl of codes": (
        {**CODES, "regularizer": {"name": "kl"}},
        "is constant under a posterior of kind discrete; take regularizer commitment",
    ),
    "codes without commitment": (
        {**CODES, "regularizer": {"name": "none"}},
        "take regularizer commitment",
    ),
    "a prior whose rate has no weight": (
        {"prior": {"name": "decoupled"}, "regularizer": {"name": "total_correlation", "dimensions": 0}, "condition": None},
        "give the rate a weight",
    ),
    "pseudo-inputs and batch normalisation": (
        {"prior": {"name": "vamp"}, "condition": None, "network": CONV},
        "set network.norm to none",
    ),
    "more components than images": (
        {"density": {"name": "gaussian_mixture", "components": 50}, "condition": None},
        "there are 40 training images; lower it",
    ),
    "codes of vectors": ({"prior": {"name": "uniform"}}, "take posterior vector_quantized"),
    "a PixelCNN over vectors": ({"density": {"name": "pixelcnn"}}, "take posterior vector_quantized"),
    "a mixture over codes": (
        {**CODES, "density": {"name": "gaussian_mixture"}},
        "density pixelcnn or null",
    ),
    "pseudo-inputs without labels": ({"prior": {"name": "vamp"}}, "set condition.encoder to false"),
    "pseudo-inputs of a flow": (
        {"prior": {"name": "vamp"}, "condition": None, "posterior": {"name": "flow"}},
        "take posterior gaussian",
    ),
    "importance weights of points": (
        {"posterior": {"name": "deterministic"}, "regularizer": {"name": "none"}, "bound": {"name": "importance_weighted"}},
        "take posterior gaussian, flow or ladder",
    ),
    "importance weights and a rate": ({"bound": {"name": "importance_weighted"}}, "take regularizer none"),
    "a prior that nothing trains": (
        {"prior": {"name": "decoupled"}, "regularizer": {"name": "none"}, "condition": None},
        "as regularizer kl does, or take prior standard",
    ),
    "an embedding that nothing trains": (
        {**CODES, "density": {"name": "pixelcnn"}, "condition": {"embedding": 4, "encoder": False, "decoder": False}},
        "set condition.embedding to null",
    ),
    "a label encoder that nothing trains": (
        {
            **CODES, "density": {"name": "pixelcnn"},
            "condition": {"embedding": 4, "encoder": False, "decoder": False, "labels": {"name": "attention"}},
        },
        "label encoder attention has weights, but only the density sees the labels",
    ),
    "labels that nothing sees": (
        {"condition": {"embedding": None, "encoder": False, "decoder": False}},
        "set condition to null, or condition.decoder to true",
    ),
    "a mixture whose weights nothing trains": (
        {"prior": {"name": "mixture"}, "regularizer": {"name": "mmd", "alpha": 1}, "condition": None},
        "set regularizer.alpha below 1, or take another prior",
    ),
    "a mixture over points, whose weights nothing trains": (
        {
            "posterior": {"name": "deterministic"}, "prior": {"name": "mixture"}, "condition": None,
            "regularizer": {"name": "mmd", "alpha": 1},
        },
        "of prior mixture; take another prior",
    ),
    "a discrepancy from samples of another density": (
        {"prior": {"name": "conditional_flow", "samples_skip_flow": True}, "regularizer": {"name": "mmd"}},
        "regularizer mmd compares latents with samples of prior conditional_flow, but samples skip the prior's flow",
    ),
    "a prior that only samples of another density train": (
        {
            "prior": {"name": "conditional_flow", "samples_skip_flow": True},
            "regularizer": {"name": "sum", "parts": [{"name": "mmd", "alpha": 1}, {"name": "perceptual"}]},
        },
        "regularizer sum compares latents with samples of prior conditional_flow.* prior.samples_skip_flow false",
    ),
    "a posterior that nothing widens": (
        {"regularizer": {"name": "none"}},
        "take regularizer kl, alone or as a part of regularizer sum, or posterior deterministic",
    ),
    "a posterior that terms of images do not widen": (
        {"regularizer": {"name": "sum", "parts": [{"name": "perceptual"}, {"name": "patch_adversary"}]}},
        "would shrink to a point under regularizer sum; take regularizer kl, alone or as a part",
    ),
    "codes that terms of images do not train": (
        {**CODES, "regularizer": {"name": "perceptual"}},
        "leaves the codebook of posterior vector_quantized untrained; take regularizer commitment",
    ),
    "a map of a perceptron": ({"posterior": {"name": "gaussian_map"}}, "needs a map; take network conv"),
    "guidance without labels": (
        {"density": {"name": "flow_matching", "guidance": 3}, "condition": None},
        "the model has no labels to be guided by; set it to 1",
    ),
    "mmd of codes": (
        {**CODES, "regularizer": {"name": "mmd"}},
        "take regularizer commitment",
    ),
    "a discrepancy that is rewarded": (
        {"regularizer": {"name": "mmd", "alpha": -1, "scale": 0.5}},
        "the weight -1.5, which does not lower it; raise scale above 2",
    ),
    "a total correlation of one dimension": (
        {"latent": 1, "regularizer": {"name": "total_correlation"}},
        "raise latent, or take regularizer kl",
    ),
    "an adversary over one dimension": ({"latent": 1, "regularizer": {"name": "factor"}}, "raise latent"),
    "labels without a condition": ({"prior": {"name": "conditional_gaussian"}, "condition": None}, "has no `condition`"),
    "a coupling of one dimension": ({"prior": {"name": "decoupled"}, "latent": 1}, "raise `latent`"),
    "a probability outside 0 to 1": ({"likelihood": {"name": "bernoulli"}}, r"set dataset.range to \[0, 1\]"),
}  # fmt: skip


def test_a_prior_may_be_trained_by_a_discrepancy_alone() -> None:
    changes = {"prior": {"name": "decoupled"}, "regularizer": {"name": "mmd", "alpha": 1}, "condition": None}
    for posterior in ("gaussian", "deterministic"):
        Model(variant(**changes, posterior={"name": posterior}), FACTS)


def test_a_codebook_for_points_is_refused_with_alternatives() -> None:
    with pytest.raises(UserError, match="the data are points; take posterior gaussian"):
        Model(variant(**CODES), replace(FACTS, image_shape=(2,), pixels="points", levels=0))


@pytest.mark.parametrize(("changes", "sentence"), SENSELESS.values(), ids=SENSELESS)
def test_incompatible_parts_are_refused(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        Model(variant(**changes), FACTS)


OWN_LABELS = """
from vaeline.models.label_encoders.table import LabelEmbedding, OneHotLabels
from vaeline.study.parts import PartOptions


class Options(PartOptions):
    pass


def build(options, context):
    values = context.label_cardinalities
    return OneHotLabels(values) if context.label_embedding else LabelEmbedding(values, 4)
"""


def test_labels_that_only_the_density_sees_need_an_encoder_without_weights(write_own: Callable[..., Path]) -> None:
    write_own("label_encoders", "mine", OWN_LABELS)
    unseen = {"encoder": False, "decoder": False, "labels": {"name": "mine"}}
    changes = {**CODES, "density": {"name": "pixelcnn", "width": 4, "layers": 1}}
    Model(variant(**changes, condition={"embedding": 4, **unseen}), FACTS)
    with pytest.raises(UserError, match="label encoder mine has weights, but only the density sees the labels"):
        Model(variant(**changes, condition={"embedding": None, **unseen}), FACTS)


@pytest.mark.parametrize("regularizer", ["perceptual", "patch_adversary"])
def test_terms_of_images_are_refused_without_a_mean_image(regularizer: str) -> None:
    greys = replace(FACTS, pixels="greys")
    named = {"name": "sum", "parts": [{"name": "kl"}, {"name": regularizer, "depth": 1}]}
    check_shapes(Model(variant(likelihood={"name": "logistic_mixture"}, regularizer=named), greys), greys)
    sentence = "sum compares images with the mean of .* likelihood pixelcnn can only draw from; take .* such as logistic_mixture"
    with pytest.raises(UserError, match=sentence):
        Model(variant(likelihood={"name": "pixelcnn"}, regularizer=named), greys)


def test_one_hot_labels_mark_the_place_of_their_value() -> None:
    model = Model(variant(condition={"embedding": None}), ATTRIBUTES)
    found = model.condition(torch.tensor([[0, 1], [1, 0]]))
    assert found is not None and found.tolist() == [[1, 0, 0, 1], [0, 1, 1, 0]]
    assert model.embedding is not None and not list(model.embedding.parameters())


def test_an_autoencoder_has_no_rate_and_reconstructs(x: torch.Tensor, labels: torch.Tensor) -> None:
    model = Model(variant(posterior={"name": "deterministic"}, regularizer={"name": "none"}), FACTS).eval()
    elbo = model.elbo(x, labels)
    assert elbo.rate is None
    assert set(model(x, labels).terms) == {"distortion"} and not model(x, labels).logged
    condition = model.condition(labels)
    torch.testing.assert_close(model.reconstruct(x, labels), model.decode(model.encode(x, condition).z, condition))


def test_the_rate_of_discrete_latents_uses_their_density(x: torch.Tensor, labels: torch.Tensor) -> None:
    """log K for each position under the uniform prior; -log p(indices) with a fitted density."""
    codes = {"posterior": {"name": "vector_quantized", "codes": 5}, "network": CONV, "prior": {"name": "uniform"}}
    codes["regularizer"] = {"name": "commitment"}
    plain = Model(variant(**codes), FACTS).eval()
    torch.testing.assert_close(plain.elbo(x, labels).rate, torch.full((5,), 4 * log(5)))
    dense = Model(variant(**codes, density={"name": "pixelcnn", "width": 4, "layers": 1}), FACTS).eval()
    condition = dense.condition(labels)
    expected = -dense.density.log_prob(dense.encode(x, condition).indices, condition)  # type: ignore[union-attr]
    torch.testing.assert_close(dense.elbo(x, labels).rate, expected)
    torch.testing.assert_close(dense(x, labels).logged["rate"], torch.tensor(4 * log(5)))


def test_a_latent_map_is_a_vector_to_priors_and_a_map_to_the_decoder(x: torch.Tensor, labels: torch.Tensor) -> None:
    model = Model(variant(network=CONV, posterior={"name": "gaussian_map"}), FACTS).eval()
    condition = model.condition(labels)
    latent = model.encode(x, condition)
    assert latent.z.shape == latent.mean.shape == (5, 3 * 2 * 2) and model.latent_size == 12  # type: ignore[attr-defined]
    assert model.draw(labels).shape == (5, 12)
    closed = kl_divergence(Normal(latent.mean, (0.5 * latent.log_var).exp()), Normal(0.0, 1.0)).sum(1)  # type: ignore[attr-defined]
    torch.testing.assert_close(model.elbo(x, labels).rate, closed)
    z = torch.zeros(1, 12)
    z[0, 1] = 5.0  # the first row and last column of the first channel: above and on the right in the image
    changed = (model.decode(z, condition[:1]) - model.decode(torch.zeros(1, 12), condition[:1])).abs()[0, 0]
    assert changed[:, 0].max() == changed[-1].max() == 0 and changed[0, -1] > 0


def test_a_density_is_not_trained_jointly() -> None:
    model = Model(variant(density={"name": "gaussian_mixture"}, condition=None), FACTS)
    assert model.latent_density is model.density
    whole = {id(each) for each in model.parameters()}
    of_density = {id(each) for each in model.density.parameters()}  # type: ignore[union-attr]
    assert {id(each) for each in model.trained_jointly()} == whole - of_density


def test_decoded_points_have_no_range() -> None:
    facts = replace(FACTS, image_shape=(2,), levels=0, pixels="points")
    model = Model(variant(condition=None), facts).eval()
    z = 100 * torch.randn(50, 3)
    assert model.decode(z, None).abs().max() > 1
