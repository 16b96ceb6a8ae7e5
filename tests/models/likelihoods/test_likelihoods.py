"""Every likelihood found on disk, and each way to find sigma."""

from dataclasses import replace
from math import sqrt
from typing import Any

import pytest
import torch
from torch.distributions import Bernoulli, Laplace, Normal

from tests.conftest import every
from vaeline.models.contracts import Context, Likelihood
from vaeline.study import parts
from vaeline.system.errors import UserError

NEEDS: dict[str, dict[str, Any]] = {
    "fixed_sigma": {"sigma": 0.5},
    "pixelcnn": {"width": 4, "layers": 2, "features": 3, "components": 2},
    "logistic_mixture": {"components": 2},
}
OF_PIXELS = ("bernoulli", "logistic_mixture", "pixelcnn")  # of whole levels, or of greys as expectations
of_elements = pytest.mark.parametrize(
    "name", [name for name in parts.names("likelihoods") if name not in ("logistic_mixture", "pixelcnn")]
)  # whose h is one number for each pixel


def build(name: str, context: Context, **options: Any) -> torch.nn.Module:
    context = replace(context, pixels="greys") if name in OF_PIXELS else context
    options = {"name": name, **NEEDS.get(name, {}), **options}
    return parts.build(Likelihood, parts.validate("likelihoods", options), context)


def output(likelihood: Any, count: int) -> torch.Tensor:
    return torch.randn(count, likelihood.output_channels or 1, 8, 8)


@every("likelihoods")
def test_in_evaluation_images_do_not_affect_each_other(name: str, context: Context) -> None:
    likelihood = build(name, context).eval()
    x, h = torch.randint(256, (5, 1, 8, 8)) / 255, output(likelihood, 5)
    together = likelihood.log_prob(x, h)
    assert together.shape == (5,)
    torch.testing.assert_close(likelihood.log_prob(x[2:3], h[2:3])[0], together[2])


@of_elements
def test_the_mean_lies_in_the_range_of_the_data(name: str, context: Context) -> None:
    bounds = (0.0, 1.0) if name == "bernoulli" else (-1.0, 3.0)
    mean = build(name, replace(context, range=bounds)).mean(torch.linspace(-9, 9, 50))
    assert mean.min() >= bounds[0] and mean.max() <= bounds[1] and (mean[1:] > mean[:-1]).all()


@of_elements
def test_the_curvature_is_the_information_of_its_own_draws(name: str, context: Context) -> None:
    """Fisher's information is the variance of the score; the score of a draw has the mean 0."""
    likelihood = build(name, context).eval()
    torch.manual_seed(0)
    h = torch.randn(1, 1, 4, 4).expand(20_000, -1, -1, -1).clone().requires_grad_()
    with torch.no_grad():
        x = likelihood.sample(h)
    torch.testing.assert_close(x.mean(0), likelihood.mean(h)[0].detach(), atol=0.05, rtol=0)
    (score,) = torch.autograd.grad(likelihood.log_prob(x, h).sum(), h)
    torch.testing.assert_close(score.square().mean(0), likelihood.curvature(x, h).mean(0).detach(), atol=1e-3, rtol=0.1)


@every("likelihoods")
def test_the_source_of_sigma_is_declared_and_sigma_saved(name: str, context: Context) -> None:
    likelihood, again = build(name, context), build(name, context)
    assert (likelihood.sigma is None) == (likelihood.kind == "none")
    if likelihood.sigma is None:
        return
    likelihood.calibrate(float(likelihood.error(torch.tensor(-0.2))))
    sigma = pytest.approx(0.2 * sqrt(2) if name == "laplace" else 0.2)
    assert float(likelihood.sigma) == sigma and float(again.sigma) != sigma
    again.load_state_dict(likelihood.state_dict())
    assert again.sigma == likelihood.sigma


@every("likelihoods")
def test_every_likelihood_but_those_of_pixels_takes_points(name: str, context: Context) -> None:
    points = replace(context, image_shape=(2,), pixels="points", range=(0, 1))
    options = parts.validate("likelihoods", {"name": name, **NEEDS.get(name, {})})
    if name in OF_PIXELS:
        with pytest.raises(
            UserError, match="(the data are points; take fixed_sigma)|(pixels are points; set dataset.pixels)"
        ):
            parts.build(Likelihood, options, points)
        return
    likelihood, h = parts.build(Likelihood, options, points), 100 * torch.randn(4, 2)
    assert likelihood.log_prob(torch.randn(4, 2), h).shape == (4,) and torch.equal(likelihood.mean(h), h)


def drawn(count: int = 3) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Images, the decoder's output, and its mean in the range 0 to 1."""
    h = torch.randn(count, 1, 8, 8)
    return torch.randn(count, 1, 8, 8), h, h.sigmoid()


def test_unit_gaussian_is_the_normal_density(context: Context) -> None:
    x, h, mean = drawn()
    expected = Normal(mean, 1.0).log_prob(x).sum((1, 2, 3))
    torch.testing.assert_close(build("unit_gaussian", context).log_prob(x, h), expected)


def test_fixed_sigma_is_the_normal_density_of_that_deviation(context: Context) -> None:
    x, h, mean = drawn()
    expected = Normal(mean, 0.3).log_prob(x).sum((1, 2, 3))
    torch.testing.assert_close(build("fixed_sigma", context, sigma=0.3).log_prob(x, h), expected)


def test_laplace_equals_torchs_and_its_samples_have_its_sigma(context: Context) -> None:
    x, h, mean = drawn()
    likelihood = build("laplace", context, scale=0.3)
    expected = Laplace(mean, 0.3).log_prob(x).sum((1, 2, 3))
    torch.testing.assert_close(likelihood.log_prob(x, h), expected)
    noise = likelihood.sample(h.repeat(200, 1, 1, 1)) - mean.repeat(200, 1, 1, 1)
    assert float(noise.std()) == pytest.approx(float(likelihood.sigma), rel=0.05)
    assert float(noise.abs().mean()) == pytest.approx(0.3, rel=0.05) and abs(float(noise.mean())) < 0.02


def test_bernoulli_equals_torchs_on_binary_images(context: Context) -> None:
    _, h, mean = drawn()
    x = (torch.rand(3, 1, 8, 8) < 0.5).float()
    expected = Bernoulli(mean).log_prob(x).sum((1, 2, 3))
    torch.testing.assert_close(build("bernoulli", context).log_prob(x, h), expected)


def test_bernoulli_on_greys_is_best_at_the_grey_itself(context: Context) -> None:
    likelihood, x = build("bernoulli", context), torch.full((1, 1, 8, 8), 0.3)
    best = likelihood.log_prob(x, x.logit())
    assert all(best > likelihood.log_prob(x, torch.full_like(x, other).logit()) for other in (0.25, 0.35))


@pytest.mark.parametrize(("x", "h"), [(0.0, 40.0), (1.0, -40.0)])
def test_bernoulli_keeps_its_gradient_when_wrongly_certain(x: float, h: float, context: Context) -> None:
    output = torch.full((1, 1, 1, 1), h, requires_grad=True)
    log_prob = build("bernoulli", context).log_prob(torch.full((1, 1, 1, 1), x), output)
    log_prob.sum().backward()
    assert float(log_prob.detach()) == -40 and float(output.grad) == pytest.approx(-1 if h > 0 else 1)  # type: ignore[arg-type]


def test_bernoulli_is_exact_at_any_log_odds(context: Context) -> None:
    h = torch.linspace(-200, 200, 401, dtype=torch.float64).view(1, 1, 1, -1).requires_grad_()
    for value in (0.0, 1.0, 0.3):
        x = torch.full_like(h, value)
        [slope] = torch.autograd.grad(build("bernoulli", context).log_prob(x, h).sum(), h)
        torch.testing.assert_close(slope, x - h.detach().sigmoid(), atol=3e-9, rtol=0)
        each = torch.cat(
            [build("bernoulli", context).log_prob(x[..., i : i + 1], h[..., i : i + 1]) for i in range(401)]
        )
        exact = x * h - torch.logaddexp(torch.zeros_like(h), h)
        torch.testing.assert_close(each, exact.flatten(), atol=3e-9, rtol=0)


def test_learned_sigma_approaches_the_root_mean_squared_error(context: Context) -> None:
    likelihood, x = build("learned_sigma", context), 0.5 + 0.2 * torch.randn(50, 1, 8, 8)
    optimizer = torch.optim.Adam(likelihood.parameters(), lr=0.05)
    for _ in range(200):
        optimizer.zero_grad()
        (-likelihood.log_prob(x, torch.zeros_like(x)).mean()).backward()
        optimizer.step()
    assert float(likelihood.sigma) == pytest.approx(float((x - 0.5).square().mean().sqrt()), rel=1e-3)


def test_optimal_sigma_in_training_fits_the_batch(context: Context) -> None:
    x, h, mean = drawn(6)
    best = build("optimal_sigma", context).train().log_prob(x, h).sum()
    root = (x - mean).square().mean().sqrt()
    torch.testing.assert_close(best, Normal(mean, root).log_prob(x).sum())
    for factor in (0.9, 1.1):
        assert best > Normal(mean, factor * root).log_prob(x).sum()


def test_optimal_sigma_in_evaluation_is_the_calibrated_sigma(context: Context) -> None:
    likelihood = build("optimal_sigma", context).eval()
    likelihood.calibrate(0.25)
    x, h, mean = drawn()
    torch.testing.assert_close(likelihood.log_prob(x, h), Normal(mean, 0.5).log_prob(x).sum((1, 2, 3)))


def test_a_perfect_batch_stays_finite(context: Context) -> None:
    h = torch.randn(2, 1, 8, 8)
    likelihood = build("optimal_sigma", context).train()
    assert likelihood.log_prob(likelihood.mean(h), h).isfinite().all()


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_the_gradient_under_optimal_sigma_is_the_error_over_variance(context: Context, factor: float) -> None:
    points = replace(context, pixels="points")
    x, h = torch.zeros(2, 64), torch.full((2, 64), factor, requires_grad=True)
    build("optimal_sigma", points).train().log_prob(x, h).sum().backward()
    torch.testing.assert_close(h.grad, torch.full((2, 64), -1 / factor))


@pytest.mark.parametrize("name", ["optimal_sigma", "learned_sigma"])
@pytest.mark.parametrize("pixels", ["greys", "static_binary", "dynamic_binary"])
def test_a_free_variance_is_refused_for_discrete_levels(name: str, pixels: str, context: Context) -> None:
    with pytest.raises(UserError, match="has no upper bound; set dataset.pixels to dequantized"):
        parts.build(Likelihood, parts.validate("likelihoods", {"name": name}), replace(context, pixels=pixels))


@pytest.mark.parametrize(
    ("changes", "came"), [({"range": (-1, 1)}, r"dataset.range is \[-1, 1\]"), ({}, "dequantized")]
)
def test_bernoulli_refuses_values_outside_zero_and_one(changes: Any, came: str, context: Context) -> None:
    with pytest.raises(UserError, match=came):
        parts.build(Likelihood, parts.validate("likelihoods", {"name": "bernoulli"}), replace(context, **changes))
