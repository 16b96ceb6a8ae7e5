"""Every density found on disk: its fit raises the likelihood, resumes to the same bytes, and its samples follow it."""

import copy
import itertools
from dataclasses import replace
from math import log
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.distributions import Categorical, MixtureSameFamily, MultivariateNormal

from tests.conftest import every, scramble
from vaeline.models.contracts import Context, Density
from vaeline.models.densities.gaussian_mixture import NotConverged
from vaeline.study import parts
from vaeline.system.errors import UserError

VECTORS, ROWS, COLUMNS = 3, 2, 3
SMALL: dict[str, dict[str, Any]] = {
    "pixelcnn": {"width": 8, "layers": 2, "epochs": 3, "batch_size": 32},
    "gaussian_mixture": {"components": 3},
    "flow_matching": {"width": 16, "depth": 1, "epochs": 3, "learning_rate": 0.01},
}


def build(name: str, context: Context, /, **options: Any) -> Any:
    if name == "pixelcnn":
        context = replace(context, posterior="discrete", latent_shape=(4, ROWS, COLUMNS), codebook_size=VECTORS)
    return parts.build(Density, parts.validate("densities", {"name": name, **SMALL[name], **options}), context)


def latents_for(name: str, count: int = 200) -> tuple[Tensor, Tensor]:
    """Latents that follow a rule of their label, and the labels one-hot, (n, 3)."""
    kind = torch.arange(count) % 3
    condition = torch.nn.functional.one_hot(kind, 3).float()
    if name == "pixelcnn":
        return (kind.view(-1, 1, 1) + torch.arange(COLUMNS)).expand(-1, ROWS, -1) % VECTORS, condition
    return 4 * kind.unsqueeze(1) + torch.randn(count, 2), condition


@every("densities")
def test_the_fit_raises_the_likelihood_of_the_latents(name: str, context: Context) -> None:
    density = build(name, context).eval()
    latents, condition = latents_for(name)
    before = density.log_prob(latents, condition).mean()
    states = list(density.fit(latents, condition, 0, None))
    after = density.log_prob(latents, condition)
    assert after.mean() > before
    torch.testing.assert_close(density.log_prob(latents[:6], condition[:3]), after[:6])  # conditions are repeated
    assert states[-1]["epoch"] == (1 if name == "gaussian_mixture" else 3)


@every("densities")
def test_a_killed_fit_ends_in_the_same_bytes(name: str, context: Context) -> None:
    latents, condition = latents_for(name)

    def start() -> Any:
        torch.manual_seed(5)
        return build(name, context)

    whole, killed, again = start(), start(), start()
    list(whole.fit(latents, condition, 7, None))
    fit = killed.fit(latents, condition, 7, None)
    state = {key: copy.deepcopy(value) for key, value in next(fit).items()}
    list(again.fit(latents, condition, 7, state))
    for one, other in zip(whole.state_dict().values(), again.state_dict().values(), strict=True):
        assert torch.equal(one, other)


@every("densities")
@torch.no_grad()
def test_samples_have_the_entropy_of_the_density(name: str, context: Context) -> None:
    density = build(name, context).eval()
    if list(density.parameters()):
        scramble(density, std=0.3)
    else:
        list(density.fit(latents_for(name)[0], None, 0, None))
    condition = torch.zeros(1, 3)
    drawn = -density.log_prob(sample := density.sample(4000, condition.expand(4000, -1)), condition.expand(4000, -1))
    assert float(drawn.mean()) == pytest.approx(
        _entropy(density, sample, condition), abs=4 * float(drawn.std()) / 4000**0.5
    )


def _entropy(density: Any, sample: Tensor, condition: Tensor) -> float:
    """-sum p log p over all maps of indices; for vectors, by importance sampling from a wide Gaussian."""
    if not sample.is_floating_point():
        maps = torch.tensor(list(itertools.product(range(VECTORS), repeat=ROWS * COLUMNS))).view(-1, ROWS, COLUMNS)
        log_p = density.log_prob(maps, condition.expand(len(maps), -1))
        assert float(log_p.exp().sum()) == pytest.approx(1, abs=1e-4)
        return float(-(log_p.exp() * log_p).sum())
    wide = MultivariateNormal(sample.mean(0), 2 * torch.cov(sample.T))
    proposal = wide.sample((200_000 if len(list(density.parameters())) == 0 else 20_000,))
    log_p = density.log_prob(proposal, condition)
    weight = (log_p - wide.log_prob(proposal)).exp()
    assert float(weight.mean()) == pytest.approx(1, abs=0.02)
    return float(-(weight * log_p).mean())


def test_a_mixture_equals_torchs_mixture(context: Context) -> None:
    density = build("gaussian_mixture", context)
    latents = latents_for("gaussian_mixture")[0]
    list(density.fit(latents, None, 0, None))
    components = MultivariateNormal(density.mean, scale_tril=density.factor)
    expected = MixtureSameFamily(Categorical(probs=density.weight), components).log_prob(latents)
    torch.testing.assert_close(density.log_prob(latents, None), expected, atol=1e-4, rtol=1e-4)
    assert sorted(density.mean[:, 0].round().tolist()) == [0, 4, 8]


def test_each_position_sees_earlier_positions_only(context: Context) -> None:
    """Every earlier position must affect a later one, so a blind spot shows as a hole."""
    density = scramble(build("pixelcnn", context, layers=4, width=8), std=0.3).eval()
    sees = torch.zeros(ROWS * COLUMNS, ROWS * COLUMNS, dtype=torch.bool)
    base = torch.zeros(1, ROWS, COLUMNS, dtype=torch.long)
    logits = density(base, torch.zeros(1, 3)).flatten(2)
    for place in range(ROWS * COLUMNS):
        other = base.clone()
        other.view(-1)[place] = 1
        sees[:, place] = (density(other, torch.zeros(1, 3)).flatten(2) - logits).abs().amax((0, 1)) > 1e-7
    assert torch.equal(sees, torch.ones_like(sees).tril(-1))


@torch.no_grad()
def test_indices_are_drawn_for_their_label(context: Context) -> None:
    density = build("pixelcnn", context, epochs=30, learning_rate=0.01, dropout=0.0)
    latents, condition = latents_for("pixelcnn")
    with torch.enable_grad():
        losses = [state["loss"] for state in density.fit(latents, condition, 0, None)]
    assert losses[-1] < 0.3 * ROWS * COLUMNS * log(VECTORS)
    drawn = density.sample(60, condition[:60])
    assert (drawn == latents[:60]).float().mean() > 0.9


def test_a_diverging_fit_is_reported(context: Context) -> None:
    density = build("pixelcnn", context)
    torch.nn.init.constant_(density.logits.bias, float("nan"))
    with pytest.raises(UserError, match=r"density pixelcnn diverged in epoch 1 of its fit .*lower its learning_rate"):
        list(density.fit(*latents_for("pixelcnn"), 0, None))


def test_an_even_kernel_is_refused(context: Context) -> None:
    with pytest.raises(UserError, match="density.kernel is 4, but must be odd"):
        build("pixelcnn", context, kernel=4)


def test_an_unconverged_mixture_is_reported(context: Context) -> None:
    density = build("gaussian_mixture", context, iterations=1)
    with pytest.warns(NotConverged, match="not converged after 1 iterations; raise density.iterations"):
        list(density.fit(torch.randn(200, 2), None, 0, None))


# Flow matching


class OfMixture(torch.nn.Module):
    """The velocity E[z1 - z0 | z_t = z] for z1 from a mixture of Gaussians N(m_k, s^2 I), and z0 from N(0, I), in closed form."""

    def __init__(self, means: Tensor, deviation: float) -> None:
        super().__init__()
        self.means, self.deviation = means, deviation

    def forward(self, z: Tensor, time: Tensor, condition: Tensor | None) -> Tensor:
        t, variance = time[0], self.deviation**2
        spread = (1 - t) ** 2 + t**2 * variance
        offset = z.unsqueeze(1) - t * self.means  # (b, components, latent)
        share = (-0.5 * offset.square().sum(2) / spread).softmax(1).unsqueeze(2)
        return (share * (self.means + (t * variance - (1 - t)) / spread * offset)).sum(1)


def exact_flow(context: Context, means: Tensor, deviation: float, **options: Any) -> tuple[Any, Any]:
    """A flow of the exact velocity, and the density that it should have."""
    context = replace(context, latent_shape=(means.shape[1],), prior_condition=0)
    density = build("flow_matching", context, **options).eval()
    density.velocity = OfMixture(means, deviation)
    components = MultivariateNormal(means, covariance_matrix=deviation**2 * torch.eye(means.shape[1]))
    return density, MixtureSameFamily(Categorical(logits=torch.zeros(len(means))), components)


@pytest.mark.parametrize("means", [[[0.5, -1.0]], [[2.0, 0.0], [-1.0, 1.5], [0.0, -2.0]]], ids=["gaussian", "mixture"])
@torch.inference_mode()
def test_the_density_of_an_exact_velocity_is_that_of_the_mixture(means: list[list[float]], context: Context) -> None:
    density, known = exact_flow(context, torch.tensor(means), 0.6, steps=64)
    z = known.sample((80,))
    torch.testing.assert_close(density.log_prob(z, None), known.log_prob(z), atol=0.02, rtol=0)
    density._measure_error(z, None)
    assert 0 < density.log_prob_error < 0.02
    drawn = density.sample(2000, None)
    torch.testing.assert_close(drawn.mean(0), torch.tensor(means).mean(0), atol=0.12, rtol=0)
    assert float(-known.log_prob(drawn).mean()) == pytest.approx(
        float(-known.log_prob(known.sample((20_000,))).mean()), abs=0.1
    )


@torch.inference_mode()
def test_hutchinsons_estimate_has_no_bias_and_the_error_that_it_states(context: Context) -> None:
    """In 12 dimensions; the means of the mixture lie along a diagonal, so that the Jacobian has entries beside its diagonal."""
    density, known = exact_flow(context, torch.tensor([[1.0], [-1.0]]) * torch.ones(12), 0.8, steps=24)
    z = known.sample((64,))
    errors = torch.stack([density._log_prob(z, None, 24, seed) for seed in range(6)]) - known.log_prob(z)
    density._measure_error(z[:32], None)
    rms = float(errors.square().mean().sqrt())
    assert 0.05 < 0.5 * density.log_prob_error < rms < 2 * density.log_prob_error
    assert float(errors.mean(0).square().mean().sqrt()) < 0.6 * rms
    torch.testing.assert_close(density.log_prob(z, None), known.log_prob(z) + errors[0])


def test_a_fitted_flow_draws_what_each_label_has(context: Context) -> None:
    density = build("flow_matching", context, width=32, epochs=40, steps=8).eval()
    latents, condition = latents_for("flow_matching", 300)
    losses = [state["loss"] for state in density.fit(latents, condition, 0, None)]
    assert losses[-1] < losses[0] and density.log_prob_error > 0
    drawn = density.sample(300, condition)
    for kind in range(3):
        torch.testing.assert_close(drawn[kind::3].mean(0), torch.full((2,), 4.0 * kind), atol=0.8, rtol=0)


def test_guidance_draws_beyond_its_label_and_says_that_samples_differ(context: Context) -> None:
    """Velocities 1 with a label and 0 without: guided by w, all noise moves by w."""

    class Steady(torch.nn.Module):
        def forward(self, z: Tensor, time: Tensor, condition: Tensor) -> Tensor:
            return condition[:, :1].expand_as(z)

    moved = []
    for w in (0.0, 1.0, 3.0):
        density = build("flow_matching", context, guidance=w)
        density.velocity = Steady()
        torch.manual_seed(0)
        noise = torch.randn(50, 2)
        torch.manual_seed(0)
        moved.append(density.sample(50, torch.ones(50, 3)) - noise)
        assert bool(density.samples_differ) == (w != 1)
    torch.testing.assert_close(torch.stack(moved)[:, 0, 0], torch.tensor([0.0, 1.0, 3.0]))


@pytest.mark.parametrize(
    ("size", "options", "sentence"),
    [
        (
            0,
            {"guidance": 2.0},
            "density.guidance is 2, but the model has no labels to be guided by; set it to 1, or give",
        ),
        (3, {"guidance": 2.0, "unlabelled": 0.0}, "the velocity without labels is not fitted; set unlabelled to 0.1"),
    ],
)
def test_guidance_without_what_it_needs_is_refused(
    size: int, options: dict[str, Any], sentence: str, context: Context
) -> None:
    with pytest.raises(UserError, match=sentence):
        build("flow_matching", replace(context, prior_condition=size), **options)


def test_a_flow_on_maps_scales_each_channel_and_keeps_the_shape(context: Context) -> None:
    on_maps = replace(context, latent_shape=(2 * 3 * 5,), map_shape=(2, 3, 5), prior_condition=0)
    density = build("flow_matching", on_maps, width=4, steps=2, epochs=1).eval()
    latents = torch.randn(60, 2, 3, 5) * torch.tensor([3.0, 0.1]).view(1, 2, 1, 1) + 7
    [state] = density.fit(latents.flatten(1), None, 0, None)
    assert state["loss"] < 2.5
    deviation = density.deviation.unflatten(0, (2, 3, 5))
    torch.testing.assert_close(deviation.amax((1, 2)), torch.tensor([3.0, 0.1]), rtol=0.1, atol=0)
    torch.testing.assert_close(deviation.amax((1, 2)), deviation.amin((1, 2)))
    assert density.sample(4, None).shape == (4, 30) and density.log_prob(latents.flatten(1), None).shape == (60,)
