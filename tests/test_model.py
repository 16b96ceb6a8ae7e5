"""The model: its bound against closed forms, its parts put together in every way, its files."""

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch.distributions import Normal, kl_divergence

from vaeline import parts, studies
from vaeline.errors import UserError
from vaeline.model import Model, load, save
from vaeline.params import Variant
from vaeline.store import Facts

FACTS = Facts(
    "tiny", (1, 8, 8), 17, (-1.0, 1.0), ["digit"], [["0", "1", "2"]], counts={"train": 40, "validation": 12, "test": 4}
)
ATTRIBUTES = replace(FACTS, label_names=["Male", "Young"], label_values=[["no", "yes"], ["no", "yes"]])


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


COMBINATIONS = list(itertools.product(parts.names("networks"), parts.names("priors"), parts.names("likelihoods")))


@pytest.mark.parametrize(("network", "prior", "likelihood"), COMBINATIONS)
def test_every_combination_trains_and_samples(
    network: str, prior: str, likelihood: str, x: torch.Tensor, labels: torch.Tensor
) -> None:
    small = {"name": "conv", "width": 4, "depth": 2} if network == "conv" else {"name": network}
    model = Model(variant(network=small, prior={"name": prior}, likelihood={"name": likelihood}), FACTS)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    objectives = []
    for step in range(60):
        terms = model(x, labels, step)
        objective = terms["distortion"] + terms["kl"]
        optimizer.zero_grad()
        objective.backward()
        optimizer.step()
        objectives.append(objective.item())
    assert sum(objectives[-5:]) < sum(objectives[:5])
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())
    samples = model.eval().sample(labels)
    assert samples.shape == x.shape and samples.abs().max() <= 1


def test_the_bound_is_distortion_plus_rate_by_torchs_own_densities(x: torch.Tensor, labels: torch.Tensor) -> None:
    model = Model(variant(), FACTS).eval()
    torch.manual_seed(1)
    bound = model.bound(x, labels)
    torch.manual_seed(1)
    latent = model.encode(x, labels)
    q = Normal(latent.mean, (0.5 * latent.log_var).exp())
    torch.testing.assert_close(bound.rate, kl_divergence(q, Normal(0.0, 1.0)).sum(1))
    expected = -Normal(model.decode(latent.z, labels), 1.0).log_prob(x).sum((1, 2, 3))
    torch.testing.assert_close(bound.distortion, expected)
    torch.testing.assert_close(bound.negative_elbo, bound.distortion + bound.rate)


def test_a_sampled_rate_is_right_on_average(x: torch.Tensor, labels: torch.Tensor) -> None:
    """An untrained flow is the identity, so that the flow prior's rate has the closed form of its base."""
    model = Model(variant(prior={"name": "conditional_flow"}), FACTS).eval()
    many, named = x[:1].expand(20_000, -1, -1, -1), labels[:1].expand(20_000, -1)
    with torch.no_grad():
        sampled = model.bound(many, named).rate
        closed = model.prior.base.kl(model.encode(x[:1], labels[:1]), model.condition(labels[:1]))
    assert float(sampled.mean()) == pytest.approx(float(closed), abs=4 * float(sampled.std()) / 20_000**0.5)


def test_the_weight_of_the_rate_enters_the_objective_and_not_the_bound(x: torch.Tensor, labels: torch.Tensor) -> None:
    model = Model(variant(regularizer={"name": "kl", "weight": 4}), FACTS).eval()
    terms = model(x, labels)
    torch.testing.assert_close(terms["kl"], 4 * terms["rate"])


@pytest.mark.parametrize("half", ["encoder", "decoder"])
def test_a_half_that_does_not_see_the_labels_does_not_depend_on_them(half: str, x: torch.Tensor) -> None:
    model = Model(variant(condition={"embedding": 4, half: False}), FACTS).eval()
    one, other = torch.zeros(5, 1, dtype=torch.long), torch.ones(5, 1, dtype=torch.long)
    z = torch.randn(5, 3)
    encodings = torch.equal(model.encode(x, one).mean, model.encode(x, other).mean)  # type: ignore[arg-type]
    assert encodings == (half == "encoder")
    assert torch.equal(model.decode(z, one), model.decode(z, other)) == (half == "decoder")


def test_a_model_without_condition_takes_any_labels(x: torch.Tensor, labels: torch.Tensor) -> None:
    model = Model(variant(condition=None), FACTS).eval()
    assert not model.conditional and model.condition(labels) is None
    assert torch.equal(model.reconstruct(x, labels), model.reconstruct(x, labels * 0))


def test_each_value_of_each_attribute_has_an_embedding_of_its_own() -> None:
    model = Model(variant(), ATTRIBUTES)
    rows = torch.tensor([[0, 0], [0, 1], [1, 0], [1, 1]])
    condition = model.condition(rows)
    assert condition is not None and condition.shape == (4, 8)
    table = model.embedding.table.weight  # type: ignore[union-attr]
    torch.testing.assert_close(condition[1], torch.cat([table[0], table[3]]))
    torch.testing.assert_close(condition[2], torch.cat([table[1], table[2]]))


def test_a_saved_model_is_loaded_whole_and_saved_again_as_the_same_bytes(
    tmp_path: Path, x: torch.Tensor, labels: torch.Tensor
) -> None:
    model = Model(variant(likelihood={"name": "optimal_sigma"}, prior={"name": "conditional_flow"}), FACTS).eval()
    model.likelihood.calibrate(0.09)
    save(tmp_path / "a", model, FACTS, {"seed": 1})
    again, facts = load(tmp_path / "a")
    assert facts == FACTS and float(again.likelihood.sigma) == pytest.approx(0.3)
    torch.testing.assert_close(again.reconstruct(x, labels), model.reconstruct(x, labels))
    save(tmp_path / "b", again, facts, {"seed": 1})
    for name in ("model.safetensors", "variant.yaml"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


@pytest.mark.parametrize(
    ("file", "damage", "sentence"),
    [
        ("model.safetensors", lambda path: path.unlink(), "model.safetensors is missing"),
        ("model.safetensors", lambda path: path.write_bytes(path.read_bytes()[:-20]), "model.safetensors is damaged"),
        ("model.safetensors", lambda path: path.write_bytes(b"<html>"), "model.safetensors is damaged"),
        ("variant.yaml", lambda path: path.write_text("a: ["), "variant.yaml is damaged"),
        ("variant.yaml", lambda path: path.write_text("variant: {}"), "variant.yaml is damaged or of another version"),
        (
            "variant.yaml",
            lambda path: path.write_text(path.read_text().replace("latent: 3", "latent: 7")),
            "of another model",
        ),
    ],
)
def test_a_damaged_run_is_a_sentence(tmp_path: Path, file: str, damage: Any, sentence: str) -> None:
    save(tmp_path, Model(variant(), FACTS), FACTS, {})
    damage(tmp_path / file)
    with pytest.raises(UserError, match=sentence):
        load(tmp_path)


def every_entry() -> list[tuple[str, str]]:
    names = [path.stem for path in (Path(__file__).parents[1] / "studies").glob("*.yaml")]
    return [
        (name, entry)
        for name in sorted(names)
        for entry in yaml.safe_load((Path(__file__).parents[1] / f"studies/{name}.yaml").read_text()).get(
            "variants", {}
        )
    ]


@pytest.mark.parametrize(("study", "entry"), every_entry())
def test_every_entry_of_every_study_builds(study: str, entry: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parents[1])
    resolved = studies.resolve(study)
    size, channels = resolved.dataset.size, 3 if resolved.dataset.name == "celeba" else 1
    facts = replace(ATTRIBUTES, image_shape=(channels, size, size), range=resolved.dataset.range)
    model = Model(resolved.variants[entry], facts).eval()
    x, labels = torch.zeros(2, channels, size, size), torch.zeros(2, 2, dtype=torch.long)
    assert model.bound(x, labels).negative_elbo.isfinite().all()
    assert model.sample(labels).shape == x.shape
