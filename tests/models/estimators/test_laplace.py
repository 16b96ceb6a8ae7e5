"""Laplace's proposal against likelihoods that are known."""

from math import log, sqrt
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.models.estimators.known_models import (
    IMAGES,
    PIXELS,
    Decoder,
    LinearGaussian,
    density,
    errors_of,
    mean_of,
    sigma_likelihood,
)
from vaeline.metrics._trust import MOST_PARETO_K, effective_samples, is_trusted
from vaeline.models.contracts import Prior
from vaeline.models.estimators import laplace, pareto_tail
from vaeline.models.estimators.around_modes import around_modes
from vaeline.models.estimators.joint_density import JointDensity
from vaeline.models.estimators.log_likelihood import LogLikelihood, marginal
from vaeline.models.estimators.posterior_modes import Modes
from vaeline.models.estimators.student_mixture import StudentMixture
from vaeline.models.likelihoods._gaussian import IsotropicGaussian
from vaeline.models.likelihoods.bernoulli import Bernoulli
from vaeline.models.priors.mixture import Mixture
from vaeline.models.priors.standard import Standard


@pytest.mark.parametrize("latent", [1, 5])
def test_weights_of_a_linear_gaussian_model_average_to_its_likelihood(latent: int) -> None:
    model = LinearGaussian(latent)
    proposal = laplace.proposal(model.density, [torch.zeros_like(model.z)])
    torch.manual_seed(0)
    z = proposal.sample(2000)
    log_weights = model.density.log_prob(z) - proposal.log_prob(z)
    off = (mean_of(log_weights) - model.log_prob) / errors_of(log_weights)
    assert off.abs().max() < 4
    assert off.mean().abs() < 4 / sqrt(IMAGES)
    assert errors_of(log_weights).max() < 0.02
    assert (pareto_tail.shape(log_weights) < MOST_PARETO_K).double().mean() > 0.9


@pytest.mark.parametrize("latent", [1, 5])
def test_the_approximation_of_a_linear_gaussian_model_is_exact(latent: int) -> None:
    model = LinearGaussian(latent)
    decoder: Any = model.density.model
    decoder.features = lambda x, labels: torch.zeros(len(x), latent)
    decoder.posterior = SimpleNamespace(centre=lambda features: features)
    torch.testing.assert_close(
        laplace.approximate(model.density, [model.density.centre()]), model.log_prob, atol=1e-2, rtol=0
    )


def grid_likelihood(of: JointDensity, width: float = 6.0, points: int = 4001) -> Tensor:
    """log p(x) of a model with one latent dimension, by summing over a grid."""
    z = torch.linspace(-width, width, points).view(-1, 1, 1).expand(-1, len(of), 1)
    return of.log_prob(z).logsumexp(0) + log(2 * width / (points - 1))


def mirrored(likelihood: Any, prior: Any) -> JointDensity:
    """z and -z decode to the same image."""
    torch.manual_seed(3)
    weight = torch.randn(1, PIXELS)
    decode = lambda z: z.square() @ weight  # noqa: E731
    h = decode(torch.rand(IMAGES, 1) + 0.5)
    return density(decode, likelihood.sample(h), likelihood, prior)


@pytest.mark.parametrize("likelihood", [sigma_likelihood(0.3), Bernoulli()])
def test_a_mirrored_decoder_needs_both_of_its_modes(likelihood: Any) -> None:
    model = mirrored(likelihood, Standard(1))
    exact = grid_likelihood(model)
    torch.manual_seed(0)
    found = {}
    for starts in ([1.0], [1.0, -1.0, 1.1]):
        proposal = laplace.proposal(model, [torch.full((IMAGES, 1), start) for start in starts])
        z = proposal.sample(4000)
        found[len(starts)] = mean_of(model.log_prob(z) - proposal.log_prob(z))
    torch.testing.assert_close(found[3], exact, atol=0.1, rtol=0)
    if isinstance(likelihood, IsotropicGaussian):  # whose modes are far apart
        assert (exact - found[1]).mean() > 0.3


def test_modes_that_are_one_get_one_component() -> None:
    model = mirrored(sigma_likelihood(0.1), Standard(1))
    starts = [torch.full((IMAGES, 1), start) for start in (1.0, 1.01, -1.0)]
    weights = laplace.proposal(model, starts).log_weight.exp()
    torch.testing.assert_close(weights.sum(0), torch.ones(IMAGES, dtype=torch.float64))
    assert ((weights > 0).sum(0) == 2).all()


class Box(Prior):
    """Uniform over z between -3 and 3: flat, so that a direction that the decoder ignores has no curvature at all."""

    def log_prob(self, z: Tensor, condition: Tensor | None) -> Tensor:
        inside = (z.abs() <= 3).all(1)
        return torch.where(inside, -z.shape[1] * log(6), -torch.inf)

    def sample(self, count: int, condition: Tensor | None) -> Tensor:
        return 6 * torch.rand(count, 2) - 3


def test_a_singular_curvature_is_bounded() -> None:
    torch.manual_seed(4)
    weight = torch.randn(1, PIXELS)
    decode = lambda z: z[:, :1] @ weight  # noqa: E731
    likelihood = sigma_likelihood(0.5)
    model = density(decode, likelihood.sample(decode(2 * torch.rand(IMAGES, 2) - 1)), likelihood, Box())
    singular = model.curvature(torch.zeros(IMAGES, 2))
    assert (torch.linalg.matrix_rank(singular) == 1).all()
    proposal = laplace.proposal(model, [torch.zeros(IMAGES, 2)])
    z = proposal.sample(4000)
    weights = model.log_prob(z) - proposal.log_prob(z)
    places = torch.linspace(-3, 3, 4001).view(-1, 1, 1).expand(-1, IMAGES, 2)
    exact = model.log_prob(places).logsumexp(0) + log(6 / 4000) + log(6)
    assert ((mean_of(weights) - exact) / errors_of(weights)).abs().max() < 4


def test_images_whose_weights_fail_get_five_times_as_many_samples() -> None:
    """Half of the images have a proposal that lies off by half a unit."""
    model = LinearGaussian(4)
    torch.manual_seed(0)
    exact = laplace.proposal(model.density, [torch.zeros_like(model.z)])
    off = torch.arange(IMAGES) % 2 == 1
    proposal = StudentMixture(exact.centre + 0.12 * off.view(-1, 1), exact.factor, exact.log_weight)
    first = LogLikelihood.of_weights(laplace.log_weights(model.density, proposal, 100))
    assert is_trusted(first)[~off].double().mean() > 0.5 > is_trusted(first)[off].double().mean()
    found = laplace.importance_sampled(model.density, proposal, 100)
    drawn = effective_samples(found) / found.effective_share
    assert set(drawn.round().long().tolist()) == {100, 500} and (drawn[off] > 400).double().mean() > 0.5
    assert ((found.log_prob - model.log_prob).abs() < 5 * found.variance.sqrt() + 0.01).all()


def test_a_poor_mode_at_the_centre_does_not_hold_the_others() -> None:
    """Two modes, one 100 nats higher and narrow: the restarts find it although the curvature at the centre is that of the wide one."""
    torch.manual_seed(0)
    decode = lambda z: torch.cat([z, 4 * (-((z - 2) ** 2) / 0.1).exp()], 1)  # noqa: E731
    x = torch.tensor([[1.0, 4.0]]).expand(IMAGES, -1)
    model = density(decode, x, sigma_likelihood(0.25), Standard(1))
    decoder: Any = model.model
    decoder.features = lambda x, labels: torch.zeros(len(x), 1)
    decoder.posterior = SimpleNamespace(centre=lambda features: features)
    proposal = laplace.proposal_of(model)
    z = proposal.sample(2000)
    found = mean_of(model.log_prob(z) - proposal.log_prob(z))
    assert ((found - grid_likelihood(model)).abs() < 0.1).double().mean() >= 0.9
    assert laplace.proposal(model, [torch.zeros(IMAGES, 1)]).centre.max() < 1.5  # where the centre leads


def test_a_better_mode_beside_a_ridge_is_kept() -> None:
    """Between two narrow components of a prior the curvature is indefinite, so that no distance in its units means anything."""
    ridge = Modes(
        torch.zeros(1, 1, 2), torch.tensor([[-500.0]]).double(), torch.diag(torch.tensor([1.0, -1.0])).view(1, 1, 2, 2)
    )
    far, height = torch.tensor([[0.1, 5.0]]), torch.tensor([7.0]).double()
    first = Modes(*(field[0] for field in ridge))
    assert not first.holds(far, height).any() and first.holds(first.z, first.log_prob).all()
    both = Modes(
        torch.stack([first.z, far]), torch.stack([first.log_prob, height]), first.curvature.expand(2, -1, -1, -1)
    )
    assert laplace._distinct(both).flatten().tolist() == [False, True]


def test_components_of_a_prior_that_the_centre_misses_are_found() -> None:
    torch.manual_seed(0)
    prior = Mixture(2, 4)
    with torch.no_grad():
        prior.mean.copy_(torch.tensor([[1.0], [-1.0]]).expand(2, 4))
        prior.log_var.fill_(-5.0)
    z = prior.sample(IMAGES, None).detach()
    weight = torch.randn(4, PIXELS)
    model = density(lambda z: z @ weight, sigma_likelihood(0.5).sample(z @ weight), sigma_likelihood(0.5), prior)
    decoder: Any = model.model
    decoder.features = lambda x, labels: torch.zeros(len(x), 4)
    decoder.posterior = SimpleNamespace(centre=lambda features: features)
    proposal = laplace.proposal_of(model)
    near = (proposal.centre[proposal.log_weight.argmax(0), torch.arange(IMAGES)] - z).norm(dim=1)
    assert (near < 0.5).all()


def test_a_label_whose_centre_misses_its_mode_is_not_dropped() -> None:
    model = mirrored(sigma_likelihood(0.1), Standard(1))
    far = torch.full((IMAGES, 1), 30.0)  # from where no step goes downhill to a mode soon
    alone = laplace.approximate(model, [far])
    torch.manual_seed(0)
    found = laplace.approximate(model, [far, *laplace.restarts(model, 1)])
    assert (found >= alone - 1e-6).all() and (found - grid_likelihood(model) + log(2)).abs().max() < 0.1


def test_a_wrong_label_is_not_dropped_for_the_encoders_sake() -> None:
    """The decoder ignores the label, and under the wrong one the encoder's centre leads to a mode 100 nats below the best."""
    torch.manual_seed(0)
    decode = lambda z: torch.cat([z, 4 * (-((z - 2) ** 2) / 0.1).exp()], 1)  # noqa: E731
    x, likelihood, labels = (
        torch.tensor([[1.0, 4.0]]).expand(IMAGES, -1),
        sigma_likelihood(0.25),
        torch.zeros(IMAGES, 1).long(),
    )
    model: Any = Decoder(decode, Standard(1))
    model.latent_size = 1
    model.condition = lambda labels: labels
    model.features = lambda x, condition: torch.where(condition == 0, 2.0, -1.0)
    model.posterior = SimpleNamespace(centre=lambda features: features)
    log_prior = torch.tensor([0.5, 0.5]).double().log()
    found = marginal(around_modes(model, likelihood, x, labels, 200, log_prior), log_prior).log_prob
    exact = grid_likelihood(JointDensity(model, likelihood, x, labels))
    assert ((found - exact).abs() < 0.1).double().mean() >= 0.7  # and not log 2 below it
