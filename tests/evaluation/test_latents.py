"""Latent diagnostics of models with a known latent space."""

from math import log, nan, pi
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from tests.conftest import every, scramble
from vaeline.data.batches import Batches
from vaeline.data.facts import Facts
from vaeline.data.store import Split
from vaeline.evaluation import latents, raw_latents
from vaeline.evaluation.latents import measure_latents
from vaeline.models import low_posterior as picking
from vaeline.models.aggregate_posterior import aggregate_posterior
from vaeline.models.low_posterior import high_posterior, low_posterior
from vaeline.models.model import Model
from vaeline.models.sampling import draw, sample
from vaeline.runs.drawing import traversals
from vaeline.study.schema import Variant
from vaeline.system.errors import UserError

FACTS = Facts(
    "line", (2,), 0, (-1.0, 1.0), ["half"], [["left", "right"]], pixels="points", counts={"train": 400, "test": 50}
)
ENTRY: dict[str, Any] = {
    "network": {"name": "mlp", "widths": [4]}, "latent": 2, "condition": None, "posterior": {"name": "gaussian"},
    "prior": {"name": "standard"}, "likelihood": {"name": "unit_gaussian"}, "regularizer": {"name": "kl"},
}  # fmt: skip


class Known(torch.nn.Module):
    """An encoder that gives each point itself as the mean, and one variance."""

    def __init__(self, variance: float) -> None:
        super().__init__()
        self.log_var = log(variance)

    def forward(self, x: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        return torch.cat([x, torch.full_like(x, self.log_var)], 1)


class Waves(torch.nn.Module):
    """An encoder that gives eight bounded numbers of each point."""

    def forward(self, x: torch.Tensor, condition: torch.Tensor | None) -> torch.Tensor:
        return torch.cat([x.sin(), x.cos(), x.tanh(), (2 * x).sin()], 1)


def known(variance: float, **changes: Any) -> Model:
    model = Model(Variant.model_validate({**ENTRY, **changes}), FACTS).eval()
    model.network.encoder = Known(variance)
    return model


def batches(points: np.ndarray) -> Batches:
    labels = (points[:, :1] > 0).astype(np.int64)
    return Batches(Split(points.astype(np.float32), labels, [""] * len(points)), FACTS, 64)


def normal(count: int, scale: float, seed: int = 0) -> np.ndarray:
    return scale * np.random.default_rng(seed).standard_normal((count, 2))


def test_an_aggregate_equal_to_the_prior_has_no_divergence() -> None:
    """Means N(0, 0.75 I) and variance 0.25 make N(0, I) of many posteriors."""
    train = batches(normal(4000, 0.75**0.5))
    record = measure_latents(known(0.25), train, batches(normal(50, 1)), 0)
    assert record.metrics["skl"] == pytest.approx(0, abs=0.05)
    assert record.metrics["active_units"] == 2
    # I(x;z) = h(z) - h(z|x) = log(1 / 0.25), over two dimensions with half a logarithm each.
    assert record.metrics["mutual_information"] == pytest.approx(log(4), abs=0.06)
    assert record.evaluation["mutual_information"]["saturated"] is False


def test_a_wide_aggregate_has_the_divergence_of_two_gaussians() -> None:
    """N(0, 4 I) against N(0, I): KL each way, summed over two dimensions, is 4 + 1/4 - 2."""
    record = measure_latents(known(1.0), batches(normal(20_000, 3**0.5)), batches(normal(50, 1)), 0)
    assert record.metrics["skl"] == pytest.approx(4 + 0.25 - 2, abs=0.15)
    halves = record.evaluation["skl"]
    assert halves["aggregate_to_prior"] == pytest.approx(4 - 1 - log(4), abs=0.15)
    assert halves["prior_to_aggregate"] == pytest.approx(0.25 - 1 + log(4), abs=0.1)


def test_well_separated_posteriors_are_marked_as_saturated() -> None:
    record = measure_latents(known(1e-6), batches(normal(300, 1)), batches(normal(50, 1)), 0)
    assert record.metrics["mutual_information"] == pytest.approx(log(300), abs=0.02)
    assert record.evaluation["skl"]["saturated"] is True
    assert record.evaluation["leaked_share"]["saturated"] is True


def test_a_conditional_prior_is_averaged_over_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two Gaussians, one for each label, at the same places as the posteriors of that label."""
    model = known(0.25, prior={"name": "conditional_gaussian"}, condition={"embedding": None, "encoder": False})
    left = torch.tensor([[-2.0, 0.0, log(0.25), log(0.25)]])

    def parameters_of(condition: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        side = torch.where(condition[:, 1:] > 0, -1.0, 1.0)
        mean, log_var = left.expand(len(condition), -1).chunk(2, 1)
        return mean * side, log_var

    monkeypatch.setattr(model.prior, "parameters_of", parameters_of)
    for left_ones, right_ones in ((400, 400), (700, 100)):  # as many as there are of each
        points = np.repeat([[-2.0, 0.0], [2.0, 0.0]], [left_ones, right_ones], 0)
        record = measure_latents(model, batches(points), batches(points[::10]), 0)
        assert record.metrics["skl"] == pytest.approx(0, abs=0.02)
    monkeypatch.setattr(raw_latents, "MOST_LABELS", 1)
    record = measure_latents(model, batches(points), batches(points[::10]), 0)
    assert "more than 1 combinations of labels" in record.evaluation["skl"]["dash"]
    assert "mutual_information" in record.metrics


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"posterior": {"name": "deterministic"}, "regularizer": {"name": "none"}}, "the posterior is a point"),
        ({"posterior": {"name": "flow", "context": 3}}, "each image has a flow of its own"),
        ({"posterior": {"name": "ladder"}}, "the posterior of a level depends on the levels above"),
    ],
)
def test_metrics_that_do_not_apply_are_dashes(changes: dict[str, Any], why: str) -> None:
    model = Model(Variant.model_validate({**ENTRY, **changes}), FACTS).eval()
    record = measure_latents(model, batches(normal(100, 1)), batches(normal(50, 1)), 0)
    for metric in ("skl", "mutual_information", "leakage", "leaked_share"):
        assert record.evaluation[metric]["dash"].startswith(why)
    assert ("log_det_deviation" in record.metrics) == (model.posterior.kind == "flow")
    assert ("active_units" in record.metrics) == (model.posterior.kind != "point")


def test_the_rates_of_a_ladders_levels_sum_to_its_rate() -> None:
    model = known(1.0, posterior={"name": "ladder", "width": 4})
    model.network.encoder = Waves()
    scramble(model.posterior)
    test = batches(normal(2000, 1))
    record = measure_latents(model, batches(normal(50, 1)), test, 0)
    levels = record.evaluation["upper_rate"]["by_level"]
    each = [model.elbo(x, labels).rate.detach() for _ in range(12) for x, labels in test.ordered(0)]
    assert sum(levels) == pytest.approx(float(torch.cat(each).mean()), rel=0.05)
    assert record.metrics["upper_rate"] == pytest.approx(levels[1], abs=1e-5) and levels[1] > 0.01
    assert sum(record.evaluation["active_units"]["rates"]) == pytest.approx(sum(levels), rel=1e-4)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, "the posterior has one level"),
        (
            {"posterior": {"name": "ladder"}, "prior": {"name": "decoupled"}},
            "the prior has no rate of a single dimension",
        ),
    ],
)
def test_no_levels_or_no_rates_have_no_upper_rate(changes: dict[str, Any], why: str) -> None:
    model = Model(Variant.model_validate({**ENTRY, **changes}), FACTS).eval()
    record = measure_latents(model, batches(normal(50, 1)), batches(normal(50, 1)), 0)
    assert record.evaluation["upper_rate"]["dash"].startswith(why)


@every("flows")
def test_a_shared_flow_preserves_mutual_information(name: str) -> None:
    """I(x;z) and KL do not depend on the coordinates; the aggregate's density does, and so does p."""
    entry = {**ENTRY, "posterior": {"name": "flow", "flows": [{"name": name, "layers": 2}]}}
    model = Model(Variant.model_validate(entry), FACTS).eval()
    model.network.encoder = Known(0.25)
    scramble(model.posterior.flows, std=0.2)
    record = measure_latents(model, batches(normal(4000, 0.75**0.5)), batches(normal(2000, 0.75**0.5)), 0)
    assert record.metrics["mutual_information"] == pytest.approx(log(4), abs=0.06)
    assert record.metrics["active_units"] == 2
    # The aggregate is N(0, I) seen through the flow: against a prior that goes through it too there is no mismatch.
    aggregate = aggregate_posterior(model, batches(normal(4000, 0.75**0.5)), 0)
    z0 = torch.randn(2000, 2)
    with torch.no_grad():
        z, log_det = model.posterior.shared_flow.forward(z0)
    known_log_prob = -0.5 * z0.square().sum(1) - log(2 * pi) - log_det
    assert (aggregate.log_prob(z) - known_log_prob).abs().mean() < 0.1


def test_a_flow_without_an_inverse_gives_dashes() -> None:
    """A planar flow that shrinks a direction so far that 64 bits cannot represent its inverse."""
    model = known(0.25, posterior={"name": "flow", "flows": [{"name": "planar", "layers": 1}]})
    aggregate = aggregate_posterior(model, batches(normal(400, 1)), 0)
    flow = aggregate.flow  # type: ignore[attr-defined]
    z = torch.randn(5, 2)
    assert aggregate.log_prob(z).isfinite().all()
    flow.inverse = lambda u, context=None: u + 0.1
    assert aggregate.log_prob(z).isnan().all()


def test_samples_that_skip_the_flow_have_no_divergence() -> None:
    prior = {"name": "conditional_flow", "samples_skip_flow": True}
    model = known(0.25, prior=prior, condition={"embedding": None, "encoder": False})
    record = measure_latents(model, batches(normal(400, 1)), batches(normal(50, 1)), 0)
    for metric in ("skl", "leakage", "leaked_share"):
        assert "samples skip the prior's flow" in record.evaluation[metric]["dash"]


def test_units_and_log_determinants_come_from_the_test_split() -> None:
    model = known(0.25, posterior={"name": "flow", "flows": [{"name": "planar", "layers": 1}]})
    constant = np.repeat([[0.5, -0.5]], 400, 0)
    record = measure_latents(model, batches(normal(400, 1)), batches(constant), 0)
    assert record.metrics["active_units"] == 0 and record.evaluation["active_units"]["images"] == 400
    record = measure_latents(known(0.25), batches(constant), batches(normal(400, 1)), 0)
    assert record.metrics["active_units"] == 2


@pytest.mark.parametrize("images", [30, 3000])
def test_noise_units_of_a_flow_are_inactive_in_small_splits(images: int) -> None:
    model = known(1.0, posterior={"name": "flow", "flows": [{"name": "planar", "layers": 1}]})
    record = measure_latents(model, batches(normal(100, 1)), batches(np.zeros((images, 2))), 0)
    assert record.metrics["active_units"] == 0
    assert record.metrics["log_det_deviation"] == pytest.approx(0, abs=1e-6)  # it starts as the identity


def test_one_image_has_neither_variance_nor_deviation() -> None:
    model = known(1.0, posterior={"name": "flow", "flows": [{"name": "planar", "layers": 1}]})
    record = measure_latents(model, batches(normal(100, 1)), batches(normal(1, 1)), 0)
    assert record.evaluation["active_units"] == {"dash": "one image has no variance"}
    assert record.evaluation["log_det_deviation"] == {"dash": "one image has no deviation"}


def test_the_log_determinants_deviation_matches_a_known_flow() -> None:
    """A planar map of one direction: log|1 + h'(w.z + b) w.u| of each drawn z."""
    model = known(1e-8, posterior={"name": "flow", "flows": [{"name": "planar", "layers": 1}]})
    [weights] = model.posterior.flows[0].weights
    weights.start.data.copy_(torch.tensor([1.0, 0.0, 1.5, 0.0, 0.0]))  # w, u, b, with w.u > 0
    points = normal(400, 1)
    slope = 1 + float(torch.nn.functional.softplus(torch.tensor(1.5))) - 1  # 1 + w.u_hat
    derivative = 1 - np.tanh(points[:, 0]) ** 2
    expected = np.log(1 + derivative * (slope - 1)).std(ddof=1)
    record = measure_latents(model, batches(normal(100, 1)), batches(points), 0)
    assert record.metrics["log_det_deviation"] == pytest.approx(expected, rel=1e-3)


def test_rate_and_variance_are_recorded_for_each_dimension() -> None:
    model = known(0.25)
    points = normal(4000, 1) * [1.0, 0.01]
    how = measure_latents(model, batches(points), batches(points), 0).evaluation["active_units"]
    assert how["variances"] == pytest.approx([1, 1e-4], rel=0.1)
    assert how["rates"] == pytest.approx([(0.25 + s - log(0.25) - 1) / 2 for s in (1, 1e-4)], rel=0.05)


def test_a_prior_nonfinite_at_its_own_samples_gives_dashes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = known(0.25)
    drawn = model.prior.sample
    monkeypatch.setattr(
        model.prior, "sample", lambda *arguments: drawn(*arguments).index_fill(0, torch.tensor([7]), nan)
    )
    record = measure_latents(model, batches(normal(400, 1)), batches(normal(50, 1)), 0)
    for name in latents.OF_PRIOR:
        assert "not finite" in record.evaluation[name]["dash"] and name not in record.metrics
    with pytest.raises(UserError, match=r"1 of 50 draws of standard are not finite"):
        draw(model, torch.zeros(50, 1, dtype=torch.long))


def test_leaks_are_found_where_the_prior_rarely_samples() -> None:
    """A tenth of the posteriors lies 6 from the middle, where log p(z) is about -20."""
    points = np.concatenate([normal(900, 0.5), normal(100, 0.5, seed=1) + np.array([6, 0])])
    record = measure_latents(known(0.5), batches(points), batches(points[:50]), 0)
    assert record.metrics["leaked_share"] == pytest.approx(0.1, abs=0.02)
    assert record.metrics["leakage"] > 10
    # A hundredth of N(0, I) in two dimensions lies beyond the radius sqrt(2 log 100), at a density of 1 / (200 pi).
    assert record.evaluation["leakage"]["threshold"] == pytest.approx(-log(200 * pi), abs=0.2)
    assert record.evaluation["leakage"]["curve"][0] == {"threshold": -90, "leakage": None, "share": 0.0}


def test_a_perfect_match_leaks_one_percent() -> None:
    record = measure_latents(known(0.25), batches(normal(4000, 0.75**0.5)), batches(normal(50, 1)), 0)
    assert record.metrics["leaked_share"] == pytest.approx(0.01, abs=0.005)


def test_low_posterior_samples_lie_far_from_all_posteriors() -> None:
    """Posteriors lie on the right half only, so the least covered points lie on the left."""
    model = known(0.05)
    points = np.abs(normal(500, 1)) * [1, 1]
    aggregate = aggregate_posterior(model, batches(points), 0)
    labels = torch.zeros(40, 1, dtype=torch.long)
    z, asked = low_posterior(model, aggregate, labels, 0)
    assert z.shape == (40, 2) and asked.shape == labels.shape
    assert (z.min(1).values < -0.5).float().mean() > 0.95
    again, _ = low_posterior(model, aggregate, labels, 0)
    assert torch.equal(z, again)


def test_low_posterior_samples_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picking, "MOST_PICKED", 8)
    model = known(0.05)
    aggregate, scored = aggregate_posterior(model, batches(normal(50, 2)), 0), list[int]()
    counting = SimpleNamespace(log_prob=lambda z: scored.append(len(z)) or aggregate.log_prob(z))
    z, asked = low_posterior(model, counting, torch.arange(2).repeat(20).view(40, 1) * 0, 0)
    assert len(z) == len(asked) == 8 and scored == [80]


def test_high_posterior_samples_lie_far_from_the_prior() -> None:
    model = known(0.05)
    aggregate = aggregate_posterior(model, batches(normal(500, 2)), 0)
    drawn = aggregate.sample(200, torch.Generator().manual_seed(0))
    rows = high_posterior(model, drawn.z, torch.zeros(200, 1, dtype=torch.long))
    farthest = drawn.z.square().sum(1).argsort(descending=True)[:20]
    assert rows.tolist() == farthest.tolist()


def test_a_conditional_prior_covers_latents_under_their_own_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every latent is in the middle of the prior of the other label, but for those that lie between."""
    model = known(0.05, prior={"name": "conditional_gaussian"}, condition={"embedding": None, "encoder": False})
    monkeypatch.setattr(
        model.prior, "parameters_of", lambda condition: (4 * condition - 2, torch.zeros_like(condition))
    )  # label 0 at (2, -2), label 1 at (-2, 2)
    z = torch.tensor([[2.0, -2.0]] * 9 + [[-2.0, 2.0]] + [[-2.0, 2.0]] * 10)
    labels = torch.tensor([[0]] * 10 + [[1]] * 10)
    assert high_posterior(model, z, labels).tolist()[0] == 9


def test_latents_of_images_come_with_the_rows_of_their_images() -> None:
    points = np.linspace(-30, 30, 40)[:, None] * [1, 0]
    drawn = aggregate_posterior(known(1e-4), batches(points), 0).sample(100, torch.Generator().manual_seed(0))
    assert (drawn.z - torch.from_numpy(points)[drawn.rows]).abs().max() < 0.1


def test_a_traversal_varies_one_dimension_at_a_time() -> None:
    codes = torch.randn(200, 3) * torch.tensor([1.0, 3.0, 0.1])
    path = traversals(codes)
    assert path.shape == (3, 9, 3)
    for row, dimension in enumerate([1, 0, 2]):  # the most varied first
        held = [other for other in range(3) if other != dimension]
        assert torch.equal(path[row][:, held], codes[0, held].expand(9, -1))
        assert (path[row, 1:, dimension] > path[row, :-1, dimension]).all()
        assert float(path[row, 4, dimension]) == pytest.approx(float(codes[:, dimension].mean()), abs=1e-5)


def test_a_constant_dimension_is_not_active() -> None:
    points = normal(100, 1) * [1, 0]
    assert measure_latents(known(1.0), batches(points), batches(points), 0).metrics["active_units"] == 1


def test_a_nonfinite_image_is_not_shown_as_black(monkeypatch: pytest.MonkeyPatch) -> None:
    model = known(0.25)
    monkeypatch.setattr(model, "decode", lambda z, labels: z.index_fill(0, torch.tensor([3]), nan))
    with pytest.raises(UserError, match="1 of 50 decoded images are not finite"):
        list(sample(model, torch.zeros(50, 1, dtype=torch.long), FACTS, 0))
