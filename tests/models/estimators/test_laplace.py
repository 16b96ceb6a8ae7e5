"""Laplace's proposal and annealing from it, against likelihoods that are known."""

from math import log, sqrt
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.distributions import MultivariateNormal

from vaeline.metrics._trust import MOST_PARETO_K
from vaeline.models.contracts import Prior
from vaeline.models.estimators import laplace, pareto_tail
from vaeline.models.estimators.annealing import Annealing
from vaeline.models.estimators.joint_density import JointDensity
from vaeline.models.estimators.posterior_modes import climb
from vaeline.models.estimators.student_mixture import StudentMixture
from vaeline.models.likelihoods._gaussian import IsotropicGaussian
from vaeline.models.likelihoods.bernoulli import Bernoulli
from vaeline.models.output_range import OutputRange
from vaeline.models.priors.mixture import Mixture
from vaeline.models.priors.standard import Standard

PIXELS, IMAGES = 12, 20
IDENTITY = OutputRange(SimpleNamespace(pixels="points", range=(0, 1)))  # type: ignore[arg-type]


class Decoder:
    """What a density asks of a model: a decoder without labels and a prior."""

    def __init__(self, decode: Any, latent_density: Any) -> None:
        self.decode, self.latent_density = decode, latent_density

    def decoder_output(self, z: Tensor, labels: Tensor) -> Tensor:
        return self.decode(z)

    def condition(self, labels: Tensor) -> None:
        return None


def sigma_likelihood(sigma: float) -> IsotropicGaussian:
    return IsotropicGaussian(IDENTITY, sigma=sigma)


def density(decode: Any, x: Tensor, likelihood: Any, prior: Any) -> JointDensity:
    return JointDensity(Decoder(decode, prior), likelihood, x, torch.zeros(len(x), 1, dtype=torch.long))  # type: ignore[arg-type]


class LinearGaussian:
    """z ~ N(0, I), x ~ N(W z, sigma^2 I)."""

    def __init__(self, latent: int, sigma: float = 0.3) -> None:
        torch.manual_seed(latent)
        self.weight, self.sigma, self.latent = torch.randn(PIXELS, latent), sigma, latent
        self.z = torch.randn(IMAGES, latent)
        self.x = self.z @ self.weight.T + sigma * torch.randn(IMAGES, PIXELS)
        self.density = density(lambda z: z @ self.weight.T, self.x, sigma_likelihood(sigma), Standard(latent))
        self.precision = torch.eye(latent) + self.weight.T @ self.weight / sigma**2
        self.mean = torch.linalg.solve(self.precision, self.weight.T @ self.x.T / sigma**2).T
        covariance = self.weight @ self.weight.T + sigma**2 * torch.eye(PIXELS)
        self.log_prob = MultivariateNormal(torch.zeros(PIXELS).double(), covariance.double()).log_prob(self.x.double())


def mean_of(log_weights: Tensor) -> Tensor:
    return log_weights.logsumexp(0) - log(len(log_weights))


def errors_of(log_weights: Tensor) -> Tensor:
    """Standard errors of the logarithm of the mean of the weights."""
    weights = (log_weights - log_weights.amax(0)).exp()
    return weights.std(0) / weights.mean(0) / sqrt(len(weights))


@pytest.mark.parametrize("latent", [1, 5])
def test_the_mode_of_a_linear_gaussian_model_is_its_posteriors_mean(latent: int) -> None:
    model = LinearGaussian(latent)
    modes = climb(model.density, torch.zeros_like(model.z))
    torch.testing.assert_close(modes.z, model.mean, atol=1e-2, rtol=1e-3)
    torch.testing.assert_close(modes.curvature, model.precision.expand_as(modes.curvature), atol=1e-2, rtol=1e-3)


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
    torch.testing.assert_close(laplace.approximate(model.density), model.log_prob, atol=1e-2, rtol=0)


def test_a_mode_counts_by_its_height_times_its_width() -> None:
    """Two modes, one as high as the other and ten times as wide in each of two dimensions."""
    curvature = torch.eye(2) * torch.tensor([1.0, 100.0]).view(2, 1, 1, 1)
    mixture = StudentMixture.around(torch.zeros(2, 1, 2), torch.zeros(2, 1).double(), curvature)
    torch.testing.assert_close(mixture.log_weight.exp().flatten(), torch.tensor([100 / 101, 1 / 101]).double())


# Between 4 temperatures, each step holds much of the likelihood, which one left out would miss.
@pytest.mark.parametrize(("temperatures", "chains", "shift", "narrower"), [(32, 256, 0.1, 0.7), (4, 4000, 0.1, 1.0)])
def test_chains_of_a_linear_gaussian_model_average_to_its_likelihood_from_both_ends(
    temperatures: int, chains: int, shift: float, narrower: float
) -> None:
    model = LinearGaussian(4)
    torch.manual_seed(0)
    proposal = laplace.proposal(model.density, [torch.zeros_like(model.z)])
    wide = StudentMixture(
        proposal.centre + shift, narrower * proposal.factor, proposal.log_weight
    )  # one that needs the chains
    annealing = Annealing.tuned(model.density, wide).with_temperatures(temperatures, torch.arange(IMAGES))
    up = annealing.log_weights(chains)
    noise = torch.randn(chains, IMAGES, 4)
    exact = model.mean + torch.linalg.solve(torch.linalg.cholesky(model.precision).T, noise.mT).mT
    down = -annealing.log_weights_back(exact)
    for found, sign in ((up, 1), (down, -1)):
        off = (sign * mean_of(found) - model.log_prob) / errors_of(found)
        assert off.abs().max() < 4.5
        assert off.mean().abs() < 4 / sqrt(IMAGES)
        assert errors_of(found).max() < 0.3


def annealing_from(shift: float) -> tuple[LinearGaussian, Annealing]:
    """Chains from a proposal that lies off by `shift` in each dimension."""
    model = LinearGaussian(4)
    torch.manual_seed(0)
    exact = laplace.proposal(model.density, [torch.zeros_like(model.z)])
    off = StudentMixture(exact.centre + shift, exact.factor, exact.log_weight)
    return model, Annealing.tuned(model.density, off)


def test_a_worse_proposal_gets_more_temperatures() -> None:
    close, far, farther = (annealing_from(shift)[1].temperatures_needed().double().mean() for shift in (0.0, 0.1, 0.3))
    assert 4 <= close < far < farther


def test_chains_that_turn_out_ineffective_are_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """With too few temperatures at first, each image gets four times as many until half of its chains count."""
    pilot = annealing_from(0.3)[1]
    monkeypatch.setattr(Annealing, "temperatures_needed", lambda self: torch.full((len(self.density),), 4))
    found = list(pilot.effective())
    rows = torch.cat([chains.rows for chains in found])
    assert sorted(rows.tolist()) == list(range(IMAGES))
    counts = {len(chains.annealing.steps): len(chains.rows) for chains in found}
    assert set(counts) <= {4, 16, 64, 256} and counts.get(4, 0) < IMAGES
    for chains in found:
        if len(chains.annealing.steps) < 256 and len(chains.rows):
            share = (2 * chains.log_weights.logsumexp(0) - (2 * chains.log_weights).logsumexp(0)).exp() / 16
            assert (share >= 0.5).all()
    assert sum(chains.temperatures for chains in found) > sum(count * number for count, number in counts.items())


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


def test_curvature_of_any_prior_counts() -> None:
    """At a point that the decoder ignores, the curvature is the prior's, which automatic differentiation gives."""
    torch.manual_seed(0)
    prior = Mixture(3, 2)
    model = density(lambda z: 0 * z @ torch.ones(2, PIXELS), torch.zeros(1, PIXELS), sigma_likelihood(1.0), prior)
    z = torch.tensor([[0.3, -0.2]])
    hessian = torch.autograd.functional.hessian(lambda each: prior.log_prob(each, None).sum(), z)
    with torch.no_grad():
        curvature = model.curvature(z)
    torch.testing.assert_close(curvature[0], -hessian[0, :, 0])


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


def test_a_mixture_of_students_integrates_to_one() -> None:
    centre = torch.tensor([[[-2.0]], [[3.0]]])
    factor = torch.tensor([[[[2.0]]], [[[0.7]]]])
    weights = torch.tensor([[0.3], [0.7]], dtype=torch.float64).log()
    mixture = StudentMixture(centre, factor, weights)
    z = torch.linspace(-40, 40, 40_001).view(-1, 1, 1)
    assert mixture.log_prob(z).exp().sum().item() * 80 / 40_000 == pytest.approx(1, abs=1e-3)
    torch.manual_seed(0)
    drawn = mixture.sample(20_000).flatten()
    assert (drawn < 0).double().mean().item() == pytest.approx(0.3 + 0.7 * 0.02, abs=0.03)


def test_the_gradient_of_a_mixture_is_that_of_its_density() -> None:
    torch.manual_seed(1)
    factor = torch.randn(2, 3, 4, 4).tril() + 3 * torch.eye(4)
    weight = torch.tensor([[0.3, 1.0, 0.5], [0.7, 0.0, 0.5]]).double().log()
    mixture = StudentMixture(torch.randn(2, 3, 4), factor, weight)
    z = torch.randn(5, 3, 4, requires_grad=True)
    log_prob, gradient = mixture.log_prob_and_gradient(z)
    torch.testing.assert_close(log_prob, mixture.log_prob(z))
    torch.testing.assert_close(gradient, torch.autograd.grad(log_prob.sum(), z)[0])


def test_samples_of_a_student_have_its_covariance() -> None:
    torch.manual_seed(0)
    root = torch.randn(3, 3)
    curvature = root @ root.T + torch.eye(3)
    mixture = StudentMixture.around(torch.zeros(1, 1, 3), torch.zeros(1, 1).double(), curvature.view(1, 1, 3, 3))
    drawn = mixture.sample(50_000).squeeze(1)
    expected = torch.linalg.inv(curvature) * 20 / 18
    torch.testing.assert_close(drawn.T.cov(), expected, atol=0.02, rtol=0.05)
