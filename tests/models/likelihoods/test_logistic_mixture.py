"""Mixtures of logistics over levels, and a PixelCNN of them: probabilities that sum to 1, and draws and means that agree with them."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.conftest import scramble
from vaeline.models.contracts import Context, Likelihood
from vaeline.models.likelihoods._logistic_mixture import LogisticMixture, Pixels, parameters_per_pixel
from vaeline.study import parts
from vaeline.system.errors import UserError


def every_image(channels: int, levels: int, size: tuple[int, int]) -> Tensor:
    """All images, from -1 to 1, (levels^(channels * pixels), channels, *size)."""
    values = torch.linspace(-1, 1, levels)
    return torch.cartesian_prod(*[values] * (channels * size[0] * size[1])).view(-1, channels, *size)


def mixture(channels: int, levels: int, scale: float = 1.0, components: int = 3) -> LogisticMixture:
    parameters = scale * torch.randn(1, parameters_per_pixel(channels, components), 1, 1)
    return LogisticMixture(parameters, Pixels(channels, levels, (-1.0, 1.0)))


@pytest.mark.parametrize(("channels", "levels"), [(1, 2), (1, 256), (2, 5), (3, 4)])
@pytest.mark.parametrize("scale", [0.5, 3.0])
def test_the_probabilities_of_all_colours_sum_to_one(channels: int, levels: int, scale: float) -> None:
    log_prob = mixture(channels, levels, scale).log_prob(every_image(channels, levels, (1, 1)))
    torch.testing.assert_close(log_prob.exp().sum(), torch.tensor(1.0))


@pytest.mark.parametrize("channels", [1, 3])
def test_draws_have_the_probabilities(channels: int) -> None:
    levels, count = 3, 60_000
    found = mixture(channels, levels)
    many = LogisticMixture(
        torch.zeros(count, parameters_per_pixel(channels, 3), 1, 1), Pixels(channels, levels, (-1, 1))
    )
    for name in ("log_weight", "location", "log_scale", "slope"):
        each = getattr(found, name)
        setattr(many, name, each.expand(count, *each.shape[1:]))
    colours = every_image(channels, levels, (1, 1)).flatten(1)
    drawn = many.sample().flatten(1)
    frequency = (drawn.unsqueeze(1) == colours).all(2).double().mean(0)
    assert float(frequency.sum()) == pytest.approx(1)
    expected = found.log_prob(colours[..., None, None]).exp().flatten().double()
    torch.testing.assert_close(frequency, expected, atol=4 * (0.25 / count) ** 0.5, rtol=0)


@pytest.mark.parametrize("levels", [2, 17, 256])
def test_the_mean_of_a_grey_is_that_of_its_probabilities(levels: int) -> None:
    found, greys = mixture(1, levels, 2.0), every_image(1, levels, (1, 1))
    expected = (found.log_prob(greys).exp().flatten() * greys.flatten()).sum()
    torch.testing.assert_close(found.mean().squeeze(), expected, atol=1e-4, rtol=0)


def test_a_level_is_an_interval_of_the_logistic_distribution() -> None:
    """One component: P(level) = F(upper edge) - F(lower edge), with F the logistic distribution function; tails at both ends."""
    location, log_scale = 0.3, -1.0
    found = LogisticMixture(torch.tensor([0.0, location, log_scale]).view(1, 3, 1, 1), Pixels(1, 5, (-1.0, 1.0)))
    edges = torch.tensor([-torch.inf, -0.75, -0.25, 0.25, 0.75, torch.inf], dtype=torch.float64)
    expected = ((edges - location) / torch.tensor(log_scale).double().exp()).sigmoid().diff()
    torch.testing.assert_close(
        found.log_prob(every_image(1, 5, (1, 1))).exp().flatten().double(), expected, atol=1e-6, rtol=0
    )


@pytest.mark.parametrize("location", [-60.0, 60.0])
def test_a_wrongly_certain_mixture_keeps_its_gradient(location: float) -> None:
    parameters = torch.tensor([0.0, location, -9.0]).view(1, 3, 1, 1).requires_grad_()
    log_prob = LogisticMixture(parameters, Pixels(1, 256, (-1.0, 1.0))).log_prob(every_image(1, 256, (1, 1))).sum()
    log_prob.backward()
    assert log_prob.isfinite() and parameters.grad.isfinite().all() and parameters.grad[0, 1].abs() > 1


def pixelcnn(context: Context, **options: Any) -> Any:
    options = {"name": "pixelcnn", "width": 6, "layers": 2, "features": 3, "components": 2, **options}
    return scramble(parts.build(Likelihood, parts.validate("likelihoods", options), context), std=0.5).eval()


@pytest.fixture
def three_greys(context: Context) -> Context:
    return replace(context, image_shape=(1, 2, 2), pixels="greys", levels=3, range=(0.0, 1.0))


def all_images(context: Context) -> Tensor:
    channels, *size = context.image_shape
    return (every_image(channels, context.levels, (size[0], size[1])) + 1) / 2


@torch.no_grad()
def test_the_probabilities_of_all_images_sum_to_one(three_greys: Context) -> None:
    likelihood, x = pixelcnn(three_greys), all_images(three_greys)
    h = torch.randn(1, 3, 2, 2).expand(len(x), -1, -1, -1)
    log_prob = likelihood.log_prob(x, h)
    torch.testing.assert_close(log_prob.exp().sum(), torch.tensor(1.0))
    pixels = x.flatten(1)
    assert not torch.allclose(pixels[:, 0], pixels[:, 1])
    # Pixels depend on one another: the probability is no product of its marginals.
    probability = log_prob.exp()
    marginal = [(probability * (pixels[:, place] == 1)).sum() for place in range(4)]
    together = (probability * (pixels == 1).all(1)).sum()
    assert (together - torch.stack(marginal).prod()).abs() > 1e-3


@torch.no_grad()
def test_drawn_images_have_their_probabilities(three_greys: Context) -> None:
    likelihood, x, count = pixelcnn(three_greys), all_images(three_greys), 40_000
    h = torch.randn(1, 3, 2, 2)
    drawn = likelihood.sample(h.expand(count, -1, -1, -1)).flatten(1)
    place = ((drawn * 2).round().long() * torch.tensor([27, 9, 3, 1])).sum(1)
    frequency = torch.bincount(place, minlength=81) / count
    expected = likelihood.log_prob(x, h.expand(81, -1, -1, -1)).exp()
    torch.testing.assert_close(frequency, expected, atol=4 * (0.25 / count) ** 0.5, rtol=0)
    assert (frequency - expected).square().sum() < 4 / count  # whose expectation is below 1 / count


def test_a_pixel_depends_on_those_before_it_and_on_the_map(context: Context) -> None:
    likelihood = pixelcnn(replace(context, image_shape=(2, 4, 5), pixels="greys"), layers=5).double()
    x, h = (torch.rand(1, channels, 4, 5, dtype=torch.float64) for channels in (2, 3))
    of_x, of_h = torch.autograd.functional.jacobian(
        lambda x, h: likelihood._of_mixtures(x, h)[0, :, 2, 2].sum(), (x, h)
    )
    seen = of_x[0].abs().sum(0).flatten() > 0
    assert seen.tolist() == [place < 2 * 5 + 2 for place in range(20)]
    assert of_h[0].abs().sum(0)[:2].all() and of_h[0].abs().sum(0)[2, :3].all()


@pytest.mark.parametrize("name", ["logistic_mixture", "pixelcnn"])
@pytest.mark.parametrize("pixels", ["dequantized", "points"])
def test_pixels_without_levels_are_refused(name: str, pixels: str, context: Context) -> None:
    with pytest.raises(UserError, match=f"likelihood {name} .*, but pixels are {pixels}; set dataset.pixels to greys"):
        parts.build(Likelihood, parts.validate("likelihoods", {"name": name}), replace(context, pixels=pixels))


def test_an_even_kernel_is_refused(context: Context) -> None:
    with pytest.raises(UserError, match="likelihood.kernel is 4, but must be odd"):
        pixelcnn(replace(context, pixels="greys"), kernel=4)


def test_a_pixel_keeps_its_level_in_any_range() -> None:
    pixels, levels = Pixels(1, 17, (-1.0, 3.0)), torch.linspace(-1, 3, 17)
    torch.testing.assert_close(pixels.unscaled(pixels.scaled(levels)), levels)
    assert pixels.scaled(levels)[:2].tolist() == pytest.approx([-1, -0.875])
