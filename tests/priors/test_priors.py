"""Every prior, as found on disk: a density that integrates to one, samples that follow it, a KL that is its own."""

import pytest
import torch
from scipy import stats

from tests.conftest import every, scramble
from vaeline import gaussian, parts
from vaeline.contracts import Context, Latent
from vaeline.errors import UserError
from vaeline.priors.conditional_flow import ConditionalFlow


@pytest.fixture
def condition() -> torch.Tensor:
    return torch.randn(1, 3)


def build(name: str, context: Context) -> torch.nn.Module:
    return scramble(parts.build("priors", parts.validate("priors", {"name": name}), context), std=0.2)


@every("priors")
@torch.no_grad()
def test_the_density_integrates_to_one_in_two_dimensions(name: str, context: Context, condition: torch.Tensor) -> None:
    prior = build(name, context)
    # Cells grow towards the edges (a sinh grid), which holds wide and narrow densities alike.
    edge = torch.sinh(torch.linspace(-6, 6, 1501))
    middle, width = (edge[1:] + edge[:-1]) / 2, edge.diff()
    z = torch.cartesian_prod(middle, middle)
    weights = torch.outer(width, width).flatten()
    densities = [prior.log_prob(rows, condition.expand(len(rows), -1)).exp() for rows in z.split(250_000)]
    assert float((torch.cat(densities) * weights).sum(dtype=torch.float64)) == pytest.approx(1, abs=0.01)


@every("priors")
@torch.no_grad()
def test_samples_have_the_entropy_of_the_density(name: str, context: Context, condition: torch.Tensor) -> None:
    """E[-log p] over samples against its integral: a sampler of another density has another cross-entropy."""
    prior = build(name, context)
    count = 40_000
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


@every("priors")
@torch.no_grad()
def test_a_closed_form_kl_agrees_with_samples(name: str, context: Context, condition: torch.Tensor) -> None:
    prior = build(name, context)
    mean, log_var = torch.tensor([[0.5, -1.0]]), torch.tensor([[-0.3, 0.4]])
    closed = prior.kl(Latent(mean, None, mean, log_var), condition)
    if closed is None:
        pytest.skip(f"{name} has no closed form")
    z = mean + (0.5 * log_var).exp() * torch.randn(200_000, 2)
    terms = gaussian.log_prob(z, mean, log_var) - prior.log_prob(z, condition.expand(len(z), -1))
    assert float(closed) == pytest.approx(float(terms.mean()), abs=4 * float(terms.std()) / len(z) ** 0.5)


@every("priors")
def test_samples_carry_a_gradient_where_the_prior_learns(name: str, context: Context, condition: torch.Tensor) -> None:
    prior = build(name, context)
    if not list(prior.parameters()):
        pytest.skip(f"{name} has nothing to learn")
    prior.sample(4, condition.expand(4, -1)).square().sum().backward()
    assert all(parameter.grad is not None for parameter in prior.parameters())


def _smallest_p(prior: ConditionalFlow, z: torch.Tensor, condition: torch.Tensor) -> float:
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
def test_a_sampler_that_skips_the_flow_is_found_out(context: Context, condition: torch.Tensor) -> None:
    prior = build("conditional_flow", context)
    wide = condition.expand(5_000, -1)
    assert _smallest_p(prior, prior.base.sample(5_000, wide), wide) < 1e-6


@pytest.mark.parametrize("name", ["conditional_gaussian", "conditional_flow"])
def test_a_prior_of_labels_refuses_a_model_without(name: str) -> None:
    with pytest.raises(UserError, match="has no `condition`"):
        build(name, Context((1, 8, 8), (2,), 0, 0, 0, 100))
