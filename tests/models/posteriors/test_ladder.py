"""A ladder of levels: its rate level by level, the levels that each depends on, and likelihoods that are known."""

from dataclasses import replace
from math import log, sqrt
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.distributions import MultivariateNormal, Normal, kl_divergence

from tests.conftest import scramble
from tests.test_every_entry import resolved
from vaeline.data.facts import Facts
from vaeline.models import gaussian
from vaeline.models.contracts import Context, Posterior
from vaeline.models.estimators.around_modes import around_modes
from vaeline.models.estimators.from_posterior import from_posterior
from vaeline.models.model import Model
from vaeline.models.posteriors.ladder import Ladder
from vaeline.models.priors.standard import Standard
from vaeline.study import parts
from vaeline.study.schema import Variant
from vaeline.system.errors import UserError

FACTS = Facts("points", (4,), 0, (-1.0, 1.0), ["half"], [["left", "right"]], pixels="points", counts={"train": 40})


def ladder(latent: int, levels: int, context: Context, width: int = 8) -> Any:
    options = parts.validate("posteriors", {"name": "ladder", "levels": levels, "width": width})
    return parts.build(Posterior, options, replace(context, latent_shape=(latent,)))


def model_of(latent: int, levels: int) -> Model:
    entry = {
        "network": {"name": "mlp", "widths": [8]}, "latent": latent, "condition": None,
        "posterior": {"name": "ladder", "levels": levels, "width": 8}, "prior": {"name": "standard"},
        "likelihood": {"name": "unit_gaussian"}, "regularizer": {"name": "kl"},
    }  # fmt: skip
    torch.manual_seed(0)
    return scramble(Model(Variant.model_validate(entry), FACTS)).eval()  # type: ignore[return-value]


@pytest.mark.parametrize(("latent", "sizes"), [(6, [2, 2, 2]), (8, [3, 3, 2]), (3, [1, 1, 1])])
def test_dimensions_are_dealt_evenly_among_levels(latent: int, sizes: list[int], context: Context) -> None:
    assert ladder(latent, 3, context).sizes == sizes


def test_more_levels_than_dimensions_are_refused(context: Context) -> None:
    with pytest.raises(UserError, match="posterior ladder has 3 levels, but latent is 2; raise latent to 3 or more"):
        ladder(2, 3, context)


@pytest.mark.parametrize("levels", [2, 3, 5])
def test_the_rate_is_the_sum_of_the_kl_of_each_level(levels: int, context: Context) -> None:
    """In closed form given the levels above, and on average equal to log q(z|x) - log p(z) at the samples."""
    posterior = scramble(ladder(7, levels, context))
    with torch.no_grad():
        latent = posterior(torch.randn(1, posterior.features).expand(50_000, -1))
    assert sum(latent.levels) == 7 and len(latent.levels) == levels
    prior, by_level = Standard(7), torch.zeros(50_000)
    for mean, log_var in zip(latent.mean.split(latent.levels, 1), latent.log_var.split(latent.levels, 1), strict=True):
        by_level += kl_divergence(Normal(mean, (0.5 * log_var).exp()), Normal(0, 1)).sum(1)
    torch.testing.assert_close(prior.rate(latent, None), by_level, rtol=1e-4, atol=1e-4)
    difference = by_level - (latent.log_q - prior.log_prob(latent.z, None))
    assert difference.mean().abs() < 4 * difference.std() / sqrt(len(difference))


def test_log_q_is_the_density_of_each_level_given_those_above(context: Context) -> None:
    posterior = scramble(ladder(5, 3, context), std=0.3)
    features = torch.randn(1, posterior.features).expand(200_000, -1)
    with torch.no_grad():
        latent = posterior(features)
    expected = Normal(latent.mean, (0.5 * latent.log_var).exp()).log_prob(latent.z).sum(1)
    torch.testing.assert_close(latent.log_q, expected, rtol=1e-4, atol=1e-4)
    # The mass of q, by weights from q: E[r(z) / q(z)] = 1 for any density r.
    ratio = (gaussian.log_prob(latent.z, latent.z.mean(0), 2 * (0.5 * latent.z.std(0)).log()) - latent.log_q).exp()
    assert float(ratio.mean()) == pytest.approx(1, abs=4 * float(ratio.std()) / sqrt(len(ratio)) + 1e-3)


def test_a_level_depends_on_the_levels_above_it_alone(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    posterior, features = scramble(ladder(6, 3, context)), torch.randn(1, 24)

    def means(noise: Tensor) -> Tensor:
        drawn = iter(noise.split(posterior.sizes[::-1], 1))  # the top level is drawn first
        monkeypatch.setattr(torch, "randn_like", lambda mean: next(drawn))
        return posterior(features).mean[0]

    top_first = torch.autograd.functional.jacobian(means, torch.zeros(1, 6))[:, 0]
    depends = top_first.flip(1).unflatten(1, (3, 2)).unflatten(0, (3, 2)).abs().amax((1, 3)) > 0
    assert torch.equal(depends, torch.ones(3, 3).triu(1).bool())  # (level of the mean, level of the noise)


def test_the_decoder_sees_every_dimension_of_every_level(context: Context) -> None:
    posterior = scramble(ladder(6, 3, context))
    jacobian = torch.autograd.functional.jacobian(posterior.decoder_input, torch.randn(1, 6))[0, :, 0]
    assert (jacobian.abs().amax(0) > 0).all() and jacobian.shape == (6, 6)


def make_linear(path: Ladder) -> None:
    """Constant moments of the priors, no residuals, and a posterior that equals the prior: the state is linear in z."""
    for level in path.levels:
        level.inference[-1].weight.data.zero_()
        level.inference[-1].bias.data.zero_()
        torch.nn.init.zeros_(level.prior[-1].weight)
        torch.nn.init.zeros_(level.residual[-1].weight)


def test_estimates_of_a_linear_ladder_equal_its_likelihood() -> None:
    model = model_of(latent=3, levels=2)
    make_linear(model.posterior)
    torch.manual_seed(1)
    model.network.decoder.layers = torch.nn.Linear(3, 4)
    x, labels = torch.randn(6, 4), torch.zeros(6, 1, dtype=torch.long)

    def decode(z: Tensor) -> Tensor:
        return model.decoder_output(z.unsqueeze(0), model.condition(labels[:1]))[0]

    weight, centre = torch.autograd.functional.jacobian(decode, torch.zeros(3)), decode(torch.zeros(3)).detach()
    known = MultivariateNormal(centre, weight @ weight.T + torch.eye(4)).log_prob(x)
    found = around_modes(model, model.likelihood, x, labels, samples=2000).at(0)
    assert ((found.log_prob - known).abs() < 4 * found.variance.sqrt() + 1e-3).all()
    of_posterior = from_posterior(model, model.likelihood, x, labels, samples=20_000)
    assert ((of_posterior.log_prob - known).abs() < 5 * of_posterior.variance.sqrt() + 0.02).all()


def test_estimates_equal_the_integral_over_levels_with_learned_priors() -> None:
    """p(x) = integral of p(y_2) p(y_1|y_2) p(x|y_1, y_2), with the Gaussians that the path has learned."""
    model = model_of(latent=2, levels=2)
    lower, upper = model.posterior.levels
    steps = torch.linspace(-8, 8, 801)
    with torch.no_grad():
        top = model.posterior.top.unsqueeze(0)
        mean, log_deviation = upper.prior(top).chunk(2, 1)
        y2 = mean + steps.unsqueeze(1) * log_deviation.exp()
        h = top + upper.merge(y2)
        h = h + upper.residual(h)
        means, log_deviations = lower.prior(h).chunk(2, 1)  # of y_1, for each y_2
        y1 = means + steps * log_deviations.exp()  # (y_2, y_1)
        log_p = Normal(mean, log_deviation.exp()).log_prob(y2) + Normal(means, log_deviations.exp()).log_prob(y1)
        state = h.unsqueeze(1) + lower.merge(y1.unsqueeze(2))
        state = (state + lower.residual(state)).flatten(0, 1)
        z = torch.cartesian_prod(steps, steps).flip(1)  # z_2 in rows, but z_1 comes first
        decoded = model.network.decoder(z + model.posterior.bottom(state), None)
        x, labels = torch.randn(5, 4), torch.zeros(5, 1, dtype=torch.long)
        width = log(16 / 800) * 2 + log_deviation.squeeze() + log_deviations  # of a cell of the grid
        known = [
            float((gaussian.log_prob(each.expand_as(decoded), decoded, torch.tensor(0.0)).view_as(log_p) + log_p + width).double().flatten().logsumexp(0))
            for each in x
        ]  # fmt: skip
    torch.manual_seed(0)
    found = around_modes(model, model.likelihood, x, labels, samples=20_000).at(0)
    assert ((found.log_prob - torch.tensor(known)).abs() < 4 * found.variance.sqrt() + 0.01).all()


def parameters(variant: Variant) -> int:
    facts = Facts(
        "m", (1, 28, 28), 256, (0.0, 1.0), ["digit"], [["0", "1"]], pixels="static_binary", counts={"train": 9}
    )
    return sum(weight.numel() for weight in Model(variant, facts).parameters())


def test_the_ladder_of_a_study_has_as_many_parameters_as_its_partner() -> None:
    variants = resolved("mnist_nll").variants
    assert parameters(variants["ladder"]) == pytest.approx(parameters(variants["vae"]), rel=0.05)
