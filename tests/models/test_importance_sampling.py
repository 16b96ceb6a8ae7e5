"""Importance sampling of linear-Gaussian models with a known log-likelihood."""

import warnings
from dataclasses import dataclass
from itertools import islice
from math import exp, log, sqrt

import pytest
import torch
from torch import Tensor
from torch.distributions import MultivariateNormal

from vaeline.metrics.nll import Summary, Unconverged, summarize
from vaeline.models.importance_sampling import (
    Draw,
    LogLikelihood,
    concatenate,
    log_likelihood,
    marginal,
)

NOISE = 0.5


@dataclass
class LinearGaussian:
    """z ~ N(0, I), x ~ N(W z, 0.25 I): all densities are known."""

    weight: Tensor  # (pixels, latent)
    x: Tensor  # (images, pixels)

    @property
    def log_prob(self) -> Tensor:
        pixels = len(self.weight)
        covariance = self.weight @ self.weight.T + NOISE**2 * torch.eye(pixels)
        return MultivariateNormal(torch.zeros(pixels), covariance).log_prob(self.x).double()

    def log_joint(self, z: Tensor) -> Tensor:
        squared = (self.x - (z @ self.weight.T).unflatten(0, (-1, len(self.x)))).square().sum(-1).flatten()
        pixels, latent = self.weight.shape
        constant = pixels * log(NOISE) + 0.5 * (pixels + latent) * log(2 * torch.pi)
        return -0.5 * (squared / NOISE**2 + z.square().sum(-1)) - constant

    def proposal(self, shift: float, inflation: float) -> Draw:
        """The posterior, moved by `shift` of its standard deviations, its covariance `inflation` times as large."""
        latent = self.weight.shape[1]
        precision = torch.eye(latent) + self.weight.T @ self.weight / NOISE**2
        root = torch.linalg.cholesky(torch.linalg.inv(precision))
        direction = torch.full((latent,), shift / sqrt(latent))
        mean = self.x @ self.weight @ torch.linalg.inv(precision) / NOISE**2 + root @ direction
        wide = sqrt(inflation) * root
        constant = wide.diagonal().log().sum() + 0.5 * latent * log(2 * torch.pi)

        def draw(count: int) -> tuple[Tensor, Tensor]:
            noise = torch.randn(count, len(self.x), latent)
            z = mean + noise @ wide.T
            return z.flatten(0, 1), (-0.5 * noise.square().sum(-1) - constant).flatten()

        return draw


def linear_gaussian(latent: int, images: int) -> LinearGaussian:
    torch.manual_seed(latent)
    weight = torch.randn(latent + 2, latent) / sqrt(latent)
    x = torch.randn(images, latent) @ weight.T + NOISE * torch.randn(images, latent + 2)
    return LinearGaussian(weight, x)


@pytest.mark.parametrize("latent", [2, 8, 16])
def test_a_shifted_inflated_proposal_gives_the_known_likelihood(latent: int) -> None:
    model = linear_gaussian(latent, images=50)
    summary = summarize(log_likelihood(model.proposal(1.0, 2.0), model.log_joint, samples=20_000, block=500), "nll")
    error = abs(summary.nll + model.log_prob.mean().item())
    assert error < 3 * summary.monte_carlo_error
    assert error < 0.01
    assert summary.monte_carlo_error < 0.005


def test_the_posterior_itself_needs_no_second_sample() -> None:
    model = linear_gaussian(4, images=8)
    estimate = log_likelihood(model.proposal(0.0, 1.0), model.log_joint, samples=10, block=10)
    torch.testing.assert_close(estimate.log_prob, model.log_prob, atol=1e-4, rtol=0)
    torch.testing.assert_close(estimate.tenth, model.log_prob, atol=1e-4, rtol=0)
    torch.testing.assert_close(estimate.hundredth, model.log_prob, atol=1e-4, rtol=0)
    torch.testing.assert_close(estimate.effective_sample_size, torch.full((8,), 10.0).double(), atol=1e-3, rtol=0)
    assert (estimate.variance < 1e-6).all()


def test_the_reported_variance_is_that_of_repeated_estimates() -> None:
    """600 copies of one image give 600 estimates of one number."""
    one = linear_gaussian(2, images=1)
    model = LinearGaussian(one.weight, one.x.expand(600, -1))
    estimate = log_likelihood(model.proposal(1.0, 2.0), model.log_joint, samples=500, block=100)
    assert estimate.variance.mean().item() == pytest.approx(estimate.log_prob.var().item(), rel=0.15)
    # E w^2 / (E w)^2 for a proposal of twice the variance, one standard deviation away, in two dimensions.
    second_moment = (2 / sqrt(3)) ** 2 * exp(1 / 3)
    assert (500 / estimate.effective_sample_size).mean().item() == pytest.approx(second_moment, rel=0.05)


def test_blocks_do_not_change_the_estimate() -> None:
    model = linear_gaussian(2, images=3)
    z, log_q = model.proposal(0.5, 1.5)(40)
    rows = iter(range(120))

    def replay(count: int) -> tuple[Tensor, Tensor]:
        chosen = list(islice(rows, 3 * count))
        return z[chosen], log_q[chosen]

    log_weights = (model.log_joint(z) - log_q).double().unflatten(0, (40, 3))
    estimate = log_likelihood(replay, model.log_joint, samples=40, block=7)
    for found, count in ((estimate.log_prob, 40), (estimate.tenth, 4), (estimate.hundredth, 1)):
        torch.testing.assert_close(found, log_weights[:count].logsumexp(0) - log(count), atol=1e-6, rtol=0)


def test_fewer_samples_overestimate_the_nll_more() -> None:
    model = linear_gaussian(8, images=200)
    summary = summarize(log_likelihood(model.proposal(1.5, 1.5), model.log_joint, samples=1_000, block=500), "nll")
    assert summary.hundredth - summary.tenth > summary.tenth - summary.nll > 0


def test_memory_holds_one_block_at_a_time() -> None:
    model = linear_gaussian(2, images=3)
    draw = model.proposal(0.5, 1.5)
    counts: list[int] = []

    def watched(count: int) -> tuple[Tensor, Tensor]:
        counts.append(count)
        return draw(count)

    log_likelihood(watched, model.log_joint, samples=1_005, block=64)
    assert max(counts) == 64
    assert sum(counts) == 1_005


def test_several_densities_share_the_same_samples() -> None:
    model = linear_gaussian(2, images=3)

    def both(z: Tensor) -> Tensor:
        return torch.stack([model.log_joint(z), model.log_joint(z) - 7.0])

    estimate = log_likelihood(model.proposal(0.5, 1.5), both, samples=100, block=30)
    torch.testing.assert_close(estimate.log_prob[0] - 7.0, estimate.log_prob[1], atol=1e-5, rtol=0)
    torch.testing.assert_close(estimate.variance[0], estimate.variance[1], atol=1e-4, rtol=0)


def test_weights_of_twenty_thousand_nats_stay_precise() -> None:
    def draw(count: int) -> tuple[Tensor, Tensor]:
        return torch.zeros(count, 1), torch.zeros(count)

    estimate = log_likelihood(draw, lambda z: torch.full((len(z),), 20_000.0), samples=1_000, block=100)
    assert estimate.log_prob.item() == pytest.approx(20_000.0, abs=1e-9)


def test_a_far_proposal_warns_of_few_effective_samples() -> None:
    model = linear_gaussian(16, images=8)
    estimate = log_likelihood(model.proposal(6.0, 1.0), model.log_joint, samples=200, block=200)
    with pytest.warns(Unconverged, match="upper bound"):
        summary = summarize(estimate, "nll")
    assert summary.effective_sample_size < 10
    assert summary.nll > -model.log_prob.mean().item()


def test_an_estimate_that_has_not_converged_is_an_upper_bound() -> None:
    """In 64 dimensions, the estimate is 45 nats from the truth, although its effective sample size is over 10 and its error is small."""
    model = linear_gaussian(64, images=8)
    estimate = log_likelihood(model.proposal(0.0, 2.0), model.log_joint, samples=1_000, block=100)
    summary = Summary(**{**summarize_quietly(estimate)._asdict(), "effective_sample_size": 50.0})
    assert summary.nll > -model.log_prob.mean().item() + 5 * summary.monte_carlo_error
    assert summary.why_upper_bound == "ten times as many samples lowered it by more than 0.5 nats"


def summarize_quietly(estimate: LogLikelihood) -> Summary:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Unconverged)
        return summarize(estimate, "nll")


def test_a_close_proposal_does_not_warn() -> None:
    model = linear_gaussian(2, images=8)
    estimate = log_likelihood(model.proposal(0.5, 1.5), model.log_joint, samples=200, block=200)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        summarize(estimate, "nll")


def test_a_mixture_over_labels_gives_the_known_marginal() -> None:
    """The label y adds y to every pixel, so that p(x) = sum_y p(y) N(x - y; ...)."""
    model = linear_gaussian(2, images=50)
    moved = [LinearGaussian(model.weight, model.x - y) for y in (0.0, 1.0, 2.0)]
    log_prior = torch.tensor([0.2, 0.5, 0.3]).double().log()
    known = torch.logsumexp(torch.stack([each.log_prob for each in moved], -1) + log_prior, -1)
    given = [log_likelihood(each.proposal(1.0, 1.5), each.log_joint, samples=10_000, block=1_000) for each in moved]
    estimate = marginal(given, log_prior)
    z_scores = (estimate.log_prob - known) / estimate.variance.sqrt()
    assert 0.7 < z_scores.square().mean().sqrt().item() < 1.3
    summary = summarize(estimate, "nll")
    assert summary.nll == pytest.approx(-known.mean().item(), abs=3 * summary.monte_carlo_error)


def test_a_mixture_of_one_label_is_that_label() -> None:
    model = linear_gaussian(2, images=3)
    given = [log_likelihood(model.proposal(s, 1.5), model.log_joint, samples=50, block=50) for s in (0.0, 1.0)]
    mixed = marginal(given, torch.tensor([0.0, -torch.inf]).double())
    for field, alone in zip(mixed, given[0], strict=True):
        torch.testing.assert_close(field, alone)


def test_a_summary_separates_image_and_sample_variance() -> None:
    log_prob = torch.tensor([-1.0, -2.0, -3.0, -6.0]).double()
    likelihood = LogLikelihood(
        log_prob, log_prob - 0.25, log_prob - 0.5, torch.full((4,), 0.04).double(), torch.tensor([50.0, 60, 70, 80])
    )
    summary = summarize(likelihood, "nll")
    assert summary.nll == 3.0
    assert (summary.tenth, summary.hundredth) == (3.25, 3.5)
    assert summary.standard_error == pytest.approx(sqrt((4 + 1 + 0 + 9) / 3) / 2)
    assert summary.monte_carlo_error == pytest.approx(0.1)
    assert summary.effective_sample_size == 60


def test_batches_of_images_are_joined_in_order() -> None:
    parts = [
        LogLikelihood(*(torch.full((2, images), value) for _ in range(5))) for images, value in ((3, 1.0), (2, 5.0))
    ]
    assert concatenate(parts).log_prob.tolist() == [[1.0, 1.0, 1.0, 5.0, 5.0]] * 2
