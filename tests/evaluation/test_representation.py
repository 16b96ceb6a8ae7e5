"""Metrics of labels and factors in latents that are known."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from vaeline.data.batches import Batches
from vaeline.data.facts import Facts
from vaeline.data.store import Split
from vaeline.evaluation.representation import measure_representation
from vaeline.models.model import Model
from vaeline.study.schema import Variant

FACTS = Facts(
    "grid", (2,), 0, (-1.0, 1.0), ["across", "down"], [list("abc"), list("xy")], pixels="points", factors=True,
    counts={"train": 600, "test": 300}, checksums={"test": "ab12", "train": "cd34"},
)  # fmt: skip
ENTRY: dict[str, Any] = {
    "network": {"name": "mlp", "widths": [4]}, "latent": 2, "condition": None, "posterior": {"name": "gaussian"},
    "prior": {"name": "standard"}, "likelihood": {"name": "unit_gaussian"}, "regularizer": {"name": "kl"},
}  # fmt: skip


class Known(torch.nn.Module):
    """An encoder that gives each point, turned by an angle, as the mean, and a small variance."""

    def __init__(self, angle: float, features: int, log_var: float) -> None:
        super().__init__()
        self.log_var = log_var
        self.rotation = torch.tensor([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]).float()
        self.features = features

    def forward(self, x: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        turned = x @ self.rotation
        return turned if self.features == 2 else torch.cat([turned, torch.full_like(x, self.log_var)], 1)


def known(angle: float = 0.0, log_var: float = -5.0, **changes: Any) -> Model:
    model = Model(Variant.model_validate({**ENTRY, **changes}), FACTS).eval()
    model.network.encoder = Known(angle, model.posterior.features, log_var)
    return model


def grid(count: int, seed: int, facts: Facts = FACTS) -> Batches:
    """Points of a grid, each with a little noise; labels are grid coordinates."""
    labels = np.stack(np.unravel_index(np.arange(count) % 6, (3, 2)), 1)
    noise = 0.05 * np.random.default_rng(seed).standard_normal((count, 2))
    return Batches(Split((labels + noise).astype(np.float32), labels, [""] * count), facts, 64)


def test_latents_equal_to_the_factors_have_perfect_scores() -> None:
    record = measure_representation(known(), grid(600, 0), grid(300, 1), 0)
    expected = {"probe_linear": 1, "probe_neighbours": 1, "mig": 1, "mig_standard_error": 0}
    found = record.metrics
    assert 0.1 < found.pop("clustering") < 1  # clusters of one factor are divided by the other
    assert found == pytest.approx(expected, abs=0.02)
    assert (
        set(record.evaluation["mig"]["by_factor"])
        == set(record.evaluation["probe_linear"]["by_label"])
        == {"across", "down"}
    )
    probe, gap = record.evaluation["probe_linear"], record.evaluation["mig"]
    assert (probe["images"], probe["fitted_to"], probe["split_sha256"]) == (300, 600, "ab12")
    assert (gap["images"], gap["samples"], gap["split_sha256"], gap["saturated"]) == (600, 2000, "cd34", False)


def test_the_gap_is_measured_on_the_training_split() -> None:
    shuffled = grid(600, 0)
    shuffled.labels[:] = shuffled.labels[torch.randperm(600, generator=torch.Generator().manual_seed(0))]
    assert measure_representation(known(), shuffled, grid(300, 1), 0).metrics["mig"] < 0.1


def test_a_label_conditioned_encoder_is_probed_with_a_note() -> None:
    model = known(condition={"embedding": 2, "encoder": True, "decoder": True})
    told, untold = (measure_representation(each, grid(600, 0), grid(300, 1), 0) for each in (model, known()))
    for name in ("probe_linear", "probe_neighbours", "mig"):
        assert told.evaluation[name]["told"] == "the label"
        assert told.evaluation[name]["descriptive"] == "the encoder is told the label"
        assert not {"told", "descriptive"} & untold.evaluation[name].keys()


def test_nonfinite_latents_give_a_dash() -> None:
    model = known()
    model.network.encoder.rotation.fill_(torch.nan)
    record = measure_representation(model, grid(600, 0, replace(FACTS, factors=False)), grid(300, 1), 0)
    names = ("probe_linear", "probe_neighbours", "clustering")
    assert all(record.evaluation[name] == {"dash": "codes are not finite"} for name in names)


def test_mixed_factors_are_readable_by_probes_only() -> None:
    record = measure_representation(known(np.pi / 4), grid(600, 0), grid(300, 1), 0)
    assert record.metrics["probe_linear"] > 0.98 and record.metrics["probe_neighbours"] > 0.98
    assert record.metrics["mig"] < 0.4


def test_a_probe_sees_posterior_means() -> None:
    record = measure_representation(known(log_var=6.0), grid(600, 0), grid(300, 1), 0)
    assert record.metrics["probe_linear"] > 0.98 and record.metrics["probe_neighbours"] > 0.98


def test_a_probe_is_scored_on_unseen_images() -> None:
    shuffled = grid(300, 1)
    shuffled.labels[:] = shuffled.labels[torch.randperm(300, generator=torch.Generator().manual_seed(0))]
    record = measure_representation(known(), grid(600, 0), shuffled, 0)
    assert record.metrics["probe_linear"] == pytest.approx((1 / 3 + 1 / 2) / 2, abs=0.08)


@pytest.mark.parametrize(
    ("changes", "facts", "why"),
    [
        ({}, {"factors": False}, "not the factors"),
        ({"posterior": {"name": "deterministic"}, "regularizer": {"name": "none"}}, {}, "Gaussian posteriors"),
        ({"posterior": {"name": "flow"}}, {}, "Gaussian posteriors"),
    ],
)
def test_a_gap_that_does_not_apply_is_a_dash(changes: dict[str, Any], facts: dict[str, Any], why: str) -> None:
    known_facts = replace(FACTS, **facts)
    record = measure_representation(known(**changes), grid(600, 0, known_facts), grid(300, 1, known_facts), 0)
    assert why in record.evaluation["mig"]["dash"]
    assert record.metrics["probe_linear"] > 0.98


def test_values_of_few_images_are_left_out_of_probes() -> None:
    """Four images of the first value are called by the third: neighbours at equal odds would see it in all images nearby."""
    train, test = grid(600, 0), grid(300, 1)
    for split in (train, test):
        split.labels[:, 0].clamp_(max=1)
    train.labels[train.labels[:, 0].eq(0).nonzero()[:4, 0], 0] = 2
    train.facts = test.facts = replace(FACTS, training_counts=[[196, 400, 4], [300, 300]])
    found = measure_representation(known(), train, test, 0).evaluation
    for kind in ("linear", "neighbours"):
        assert found[f"probe_{kind}"]["left_out"] == ["across=c"]
        assert found[f"probe_{kind}"]["by_label"]["across"] > 0.99
    test.labels[0, 0] = 2  # a single test image
    train.facts = test.facts = FACTS
    assert measure_representation(known(), train, test, 0).evaluation["probe_linear"]["left_out"] == ["across=c"]
