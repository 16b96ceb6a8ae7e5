"""Every prior found on disk: its density integrates to one, and its samples and KL agree with it."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from math import log
from typing import Any

import numpy as np
import pytest
import torch
from scipy import integrate, special, stats

from tests.conftest import every, scramble
from vaeline.models import gaussian
from vaeline.models.contracts import Context, Prior
from vaeline.models.latent import GaussianLatent
from vaeline.models.priors._flow import FlowPrior
from vaeline.study import parts
from vaeline.system.errors import UserError


@pytest.fixture
def condition() -> torch.Tensor:
    return torch.randn(1, 3)


SMALLER = {"vamp": {"pseudo_inputs": 5}, "mixture": {"components": 3}}
OF_FLOWS = ("conditional_flow", "decoupled")
of_vectors = pytest.mark.parametrize("name", [name for name in parts.names("priors") if name != "uniform"])


def encode(x: torch.Tensor, size: int = 2) -> GaussianLatent:
    """Stands for a model's encoder: a Gaussian for each image, as wide as it is bright."""
    mean = torch.stack([x[:, :, :4].mean((1, 2, 3)), x[:, :, 4:].mean((1, 2, 3))], 1)[:, :size] * 4 - 2
    return GaussianLatent(mean, mean, x.mean((1, 2, 3)).unsqueeze(1).expand_as(mean))


def build(name: str, context: Context, **more: Any) -> torch.nn.Module:
    encoder = partial(encode, size=context.latent_shape[0])
    context = replace(context, encode=encoder, encoder_condition=0)
    options = parts.validate("priors", {"name": name, **SMALLER.get(name, {}), **more})
    prior = scramble(parts.build(Prior, options, context), std=0.2).eval()
    prior.calibrate()
    return prior


@of_vectors
@torch.no_grad()
def test_the_density_integrates_to_one_in_two_dimensions(name: str, context: Context, condition: torch.Tensor) -> None:
    prior = build(name, context)
    # Cells grow towards the edges (a sinh grid), which suits wide and narrow densities. The sum lacks 0.00015 on this grid.
    edge = torch.sinh(torch.linspace(-6, 6, 401))
    middle, width = (edge[1:] + edge[:-1]) / 2, edge.diff()
    z = torch.cartesian_prod(middle, middle)
    weights = torch.outer(width, width).flatten()
    density = prior.log_prob(z, condition.expand(len(z), -1)).exp()
    assert float((density * weights).sum(dtype=torch.float64)) == pytest.approx(1, abs=0.001)


@of_vectors
@torch.no_grad()
def test_a_frozen_prior_is_the_same_density(name: str, context: Context, condition: torch.Tensor) -> None:
    prior, z = build(name, context), torch.randn(50, 2)
    frozen = prior.frozen()
    of_z = prior.log_prob(z, condition.expand(50, -1))
    torch.testing.assert_close(frozen.log_prob(z, condition.expand(50, -1)), of_z, atol=1e-4, rtol=1e-4)
    two = torch.cat([condition, condition + 1])  # fewer conditions than rows of z are repeated
    torch.testing.assert_close(prior.log_prob(z, two), prior.log_prob(z, two.repeat(25, 1)))
    centres = frozen.centres()
    if centres is not None:  # the density is higher there than at most of its own draws
        drawn = prior.log_prob(prior.sample(200, condition.expand(200, -1)), condition.expand(200, -1))
        assert prior.log_prob(centres, condition.expand(len(centres), -1)).max() > drawn.median()


@pytest.mark.parametrize("name", [name for name in parts.names("priors") if name not in (*OF_FLOWS, "uniform")])
@torch.no_grad()
def test_a_flowless_density_integrates_to_one_in_one_dimension(
    name: str, context: Context, condition: torch.Tensor
) -> None:
    prior = build(name, replace(context, latent_shape=(1,)))
    edge = torch.sinh(torch.linspace(-6, 6, 20_001))
    middle, width = (edge[1:] + edge[:-1]) / 2, edge.diff()
    density = prior.log_prob(middle.unsqueeze(1), condition.expand(len(middle), -1)).exp()
    assert float((density * width).sum(dtype=torch.float64)) == pytest.approx(1, abs=0.001)


@of_vectors
@torch.no_grad()
def test_samples_have_the_entropy_of_the_density(name: str, context: Context, condition: torch.Tensor) -> None:
    """E[-log p] over samples against its integral: a sampler of another density has another cross-entropy."""
    prior = build(name, context)
    count = 10_000
    wide = condition.expand(count, -1)
    drawn = -prior.log_prob(prior.sample(count, wide), wide)
    # The same expectation by importance sampling out of a wide proposal.
    sample = prior.sample(count, wide)
    centre, scale = sample.mean(0), 2 * sample.std(0)
    proposal = centre + scale * torch.randn(count, 2)
    log_prob = prior.log_prob(proposal, wide)
    weight = (log_prob - gaussian.log_prob(proposal, centre, 2 * scale.log())).exp()
    terms = -weight * log_prob
    error = float((terms.var() / count + drawn.var() / count).sqrt())
    assert float(terms.mean()) == pytest.approx(float(drawn.mean()), abs=4 * error)


@of_vectors
@torch.no_grad()
def test_a_closed_form_kl_agrees_with_samples(name: str, context: Context, condition: torch.Tensor) -> None:
    prior = build(name, context)
    mean, log_var = torch.tensor([[0.5, -1.0]]), torch.tensor([[-0.3, 0.4]])
    closed = prior.kl(GaussianLatent(mean, mean, log_var), condition)
    if closed is None:
        pytest.skip(f"{name} has no closed form")
    z = mean + (0.5 * log_var).exp() * torch.randn(200_000, 2)
    terms = gaussian.log_prob(z, mean, log_var) - prior.log_prob(z, condition.expand(len(z), -1))
    assert float(closed) == pytest.approx(float(terms.mean()), abs=4 * float(terms.std()) / len(z) ** 0.5)
    assert prior.kl_each(GaussianLatent(mean, mean, log_var), condition).sum(1) == closed


@of_vectors
@torch.no_grad()
def test_conditions_repeat_when_there_are_more_latents(name: str, context: Context) -> None:
    prior, z, condition = build(name, context), torch.randn(12, 2), torch.randn(4, 3)
    torch.testing.assert_close(prior.log_prob(z, condition), prior.log_prob(z, condition.repeat(3, 1)))


@of_vectors
def test_samples_of_a_learned_prior_carry_gradients(name: str, context: Context, condition: torch.Tensor) -> None:
    """The choice of a mixture's component is excepted: it is not a function of the weights."""
    prior = build(name, context)
    if not list(prior.parameters()):
        pytest.skip(f"{name} has nothing to learn")
    if name == "resampled":
        pytest.skip("what a proposal is accepted by has no gradient in it")
    prior.sample(4, condition.expand(4, -1)).square().sum().backward()
    assert all(each.grad is not None for of, each in prior.named_parameters() if of != "logits")


def acceptance_of(weight: float, bias: float, **options: int) -> Any:
    """A resampled normal in one dimension that accepts z with the probability sigmoid(weight z + bias)."""
    context = Context((1, 8, 8), (1,), 0, 0, 0, 100)
    prior: Any = parts.build(Prior, parts.validate("priors", {"name": "resampled", **options}), context)
    prior.log_odds = torch.nn.Linear(1, 1)
    prior.log_odds.weight.data.fill_(weight)
    prior.log_odds.bias.data.fill_(bias)
    return prior


@pytest.mark.parametrize(("weight", "bias"), [(3.0, 0.0), (2.0, -4.0), (0.0, 1.5)])
def test_the_share_accepted_is_the_known_integral_within_its_error(weight: float, bias: float) -> None:
    prior = acceptance_of(weight, bias)
    prior.calibrate()
    exact, _ = integrate.quad(lambda z: stats.norm.pdf(z) * special.expit(weight * z + bias), -12, 12)
    share, error = prior.acceptance
    assert abs(share - exact) <= 4 * error + 1e-6 and error < 0.01 * exact
    assert (error < 1e-6) == (weight == 0)  # every proposal is as likely to be accepted


def test_the_share_of_a_training_step_is_unbiased_and_has_its_gradient() -> None:
    """d log p / d bias of the density without truncation: 1 - a(z) - E[a (1 - a)] / Z."""
    prior = acceptance_of(2.0, -1.0, proposals=10_000, draws=200_000).train()
    z = torch.tensor([[0.3]])
    prior.log_prob(z, None).sum().backward()

    def mean(of: Callable[[float], float]) -> float:
        return integrate.quad(lambda u: stats.norm.pdf(u) * of(special.expit(2 * u - 1)), -12, 12)[0]

    expected = 1 - special.expit(2 * 0.3 - 1) - mean(lambda a: a * (1 - a)) / mean(lambda a: a)
    assert float(prior.log_odds.bias.grad) == pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize("proposals", [2, 4])
@torch.no_grad()
def test_draws_of_few_proposals_follow_the_truncated_density(proposals: int) -> None:
    prior = acceptance_of(4.0, -5.0, proposals=proposals).eval()
    prior.calibrate()
    edges = torch.linspace(-5, 5, 2001)
    density = prior.log_prob(((edges[1:] + edges[:-1]) / 2).unsqueeze(1), None).exp() * edges.diff()
    assert float(density.sum()) == pytest.approx(1, abs=0.003)
    drawn = prior.sample(50_000, None).squeeze(1).numpy()
    cumulative = np.interp(drawn, edges[1:].numpy(), density.cumsum(0).numpy())
    assert stats.kstest(cumulative, "uniform").statistic < 0.012  # of draws without truncation it is above 0.1


def _smallest_p(prior: FlowPrior, z: torch.Tensor, condition: torch.Tensor) -> float:
    """Kolmogorov-Smirnov, per dimension: is f(z) distributed as N(mean(y), sigma(y))?"""
    u, _ = prior.flow(z)
    mean, log_var = prior.base.parameters_of(condition)
    return min(stats.kstest(column.numpy(), "norm").pvalue for column in ((u - mean) / (0.5 * log_var).exp()).T)


@torch.no_grad()
def test_the_flow_maps_the_conditional_priors_samples_to_its_base(context: Context, condition: torch.Tensor) -> None:
    prior = build("conditional_flow", context)
    wide = condition.expand(5_000, -1)
    assert _smallest_p(prior, prior.sample(5_000, wide), wide) > 0.001


@torch.no_grad()
def test_the_test_detects_a_sampler_that_skips_the_flow(context: Context, condition: torch.Tensor) -> None:
    prior = build("conditional_flow", context)
    wide = condition.expand(5_000, -1)
    assert _smallest_p(prior, prior.base.sample(5_000, wide), wide) < 1e-6


@torch.no_grad()
def test_samples_that_skip_the_flow_come_from_the_base(context: Context, condition: torch.Tensor) -> None:
    options = parts.validate("priors", {"name": "conditional_flow", "samples_skip_flow": True})
    prior = scramble(parts.build(Prior, options, context), std=0.2)
    wide = condition.expand(5_000, -1)
    assert _smallest_p(prior, prior.sample(5_000, wide), wide) < 1e-6


@pytest.mark.parametrize(
    ("name", "more"),
    [*((name, {}) for name in parts.names("priors") if name != "uniform"), ("conditional_flow", {"samples_skip_flow": True})],
)  # fmt: skip
def test_only_a_reparameterised_sample_has_a_gradient_in_all_weights(
    name: str, more: dict[str, Any], context: Context, condition: torch.Tensor
) -> None:
    prior = build(name, context, **more)
    anything = torch.zeros((), requires_grad=True)  # because a sample may have no gradient at all
    (prior.sample(40, condition.expand(40, -1)).sum() + anything).backward()
    assert prior.reparameterised == all(each.grad is not None for each in prior.parameters())


@pytest.mark.parametrize("name", ["conditional_gaussian", "conditional_flow"])
def test_a_prior_of_labels_refuses_a_model_without(name: str) -> None:
    with pytest.raises(UserError, match="has no `condition`"):
        build(name, Context((1, 8, 8), (2,), 0, 0, 0, 100))


def test_the_uniform_prior_gives_every_map_of_indices_the_same_probability(context: Context) -> None:
    prior = build("uniform", replace(context, posterior="discrete", latent_shape=(4, 3, 5), codebook_size=7))
    indices = prior.sample(1000, None)
    assert indices.shape == (1000, 3, 5) and set(indices.unique().tolist()) == set(range(7))
    torch.testing.assert_close(prior.log_prob(indices[:2], None), torch.full((2,), -15 * log(7)))


@every("priors")
def test_vectors_and_indices_are_not_mixed_up(name: str, context: Context) -> None:
    discrete = replace(context, posterior="discrete", latent_shape=(4, 3, 5), codebook_size=7)
    sentence = "is a density of indices" if name == "uniform" else "is a density of vectors"
    with pytest.raises(UserError, match=sentence):
        build(name, context if name == "uniform" else discrete)


@every("flows")
@pytest.mark.parametrize("prior", ["conditional_flow", "decoupled"])
@torch.no_grad()
def test_a_prior_with_any_flow_samples_its_density(
    name: str, prior: str, context: Context, condition: torch.Tensor
) -> None:
    """E[log p(z)] over its samples is that of the base at what the samples came from."""
    built = scramble(
        parts.build(Prior, parts.validate("priors", {"name": prior, "flow": {"name": name}}), context), std=0.2
    )
    many = condition.expand(50_000, -1)
    z = built.sample(50_000, many)
    narrow = gaussian.log_prob(z, z.mean(0), 2 * (0.25 * z.std(0)).log())
    ratio = (narrow - built.log_prob(z, many)).exp()  # of mean 1 where the samples follow the density
    assert float(ratio.mean()) == pytest.approx(1, abs=4 * float(ratio.std()) / 50_000**0.5 + 2e-3)


def test_the_decoupled_prior_starts_as_the_standard_one(context: Context) -> None:
    prior = parts.build(Prior, parts.validate("priors", {"name": "decoupled"}), context)
    assert len(prior.flow.couplings) == 6
    z = torch.randn(5, 2)
    torch.testing.assert_close(prior.log_prob(z, None), gaussian.log_prob(z, torch.zeros(2), torch.zeros(2)))


@torch.no_grad()
def test_the_decoupled_prior_maps_its_samples_to_the_standard_normal(context: Context) -> None:
    prior = build("decoupled", context)
    u, _ = prior.flow(prior.sample(5_000, None))
    assert min(stats.kstest(column.numpy(), "norm").pvalue for column in u.T) > 0.001


def test_a_mixture_equals_torchs_mixture(context: Context) -> None:
    prior = build("mixture", context)
    components = torch.distributions.Independent(torch.distributions.Normal(prior.mean, (0.5 * prior.log_var).exp()), 1)
    mixture = torch.distributions.MixtureSameFamily(torch.distributions.Categorical(logits=prior.logits), components)
    z = 3 * torch.randn(50, 2)
    torch.testing.assert_close(prior.log_prob(z, None), mixture.log_prob(z), atol=1e-4, rtol=1e-5)


def test_the_vamp_prior_averages_the_posteriors_of_pseudo_inputs(context: Context) -> None:
    prior = build("vamp", context)
    z, latent = torch.randn(6, 2), encode(prior.images())
    each = torch.stack([gaussian.log_prob(z, *of) for of in zip(latent.mean, latent.log_var, strict=True)], 1)
    torch.testing.assert_close(prior.log_prob(z, None), each.exp().mean(1).log())
    assert not any("encode" in name for name in prior.state_dict())


def test_the_vamp_prior_refuses_an_encoder_that_needs_labels(context: Context) -> None:
    with pytest.raises(UserError, match="set condition.encoder to false"):
        parts.build(Prior, parts.validate("priors", {"name": "vamp"}), context)


def test_the_vamp_prior_refuses_other_posteriors(context: Context) -> None:
    with pytest.raises(UserError, match="take posterior gaussian"):
        build("vamp", replace(context, posterior="flow"))


def test_mixture_densities_are_exact_for_narrow_gaussians() -> None:
    mean, log_var = 3 * torch.randn(40, 20), torch.full((40, 20), -7.0)
    z = mean[:8] + 0.03 * torch.randn(8, 20)
    exact = torch.stack(
        [gaussian.log_prob(z.double(), *of) for of in zip(mean.double(), log_var.double(), strict=True)], 1
    )
    found = gaussian.log_prob_each(z, mean, log_var)
    torch.testing.assert_close(found.diagonal()[:8], exact.diagonal()[:8].float(), atol=0.05, rtol=0)
    with torch.no_grad():
        narrow = torch.full((40, 20), -14.0)
        z = mean[:8] + 0.0009 * torch.randn(8, 20)
        of_wide = [gaussian.log_prob(z.double(), *of) for of in zip(mean.double(), narrow.double(), strict=True)]
        found = gaussian.log_prob_each(z, mean, narrow).diagonal()[:8]
        torch.testing.assert_close(found, torch.stack(of_wide, 1).diagonal()[:8].float(), atol=0.001, rtol=0)
