"""A hierarchy of two to five levels: q(z|x) and p(x|z) share a path from the top level down (LVAE: Sønderby et al., 2016; VDVAE: Child, 2021).

Level l has the latent y_l ~ p(y_l | y_above) = N(mean_l(h), deviation_l(h)^2), where h is the state of the path after the levels
above. z holds the levels without these moments, y_l = mean_l(h) + deviation_l(h) z_l, from the level nearest the image up. Then the
prior that the ladder learns is N(z; 0, I), which is prior `standard`, any other prior of vectors goes with it, and p(z|x) has none
of the funnels that learned deviations make of p(y|x) (Papaspiliopoulos et al., 2007). q(z_l | z_above, x) is a Gaussian, a change of
p(y_l | y_above) as in NVAE (Vahdat and Kautz, 2020). The decoder takes what the path makes of all levels, added to z itself: without
that short cut, the lowest level stays unused for thousands of steps.
"""

from collections.abc import Callable, Iterator, Sequence

import torch
from pydantic import Field
from torch import Tensor, nn

from vaeline.models import gaussian
from vaeline.models.contracts import Context, Posterior
from vaeline.models.latent import Kind, LadderLatent
from vaeline.study.parts import PartOptions
from vaeline.system.errors import UserError


class Options(PartOptions):
    levels: int = Field(2, ge=2, le=5, description="of the hierarchy; the dimensions of z are dealt evenly among them")
    width: int = Field(
        64, ge=1, le=65_536, description="numbers of the state, units of hidden layers, and features of each level"
    )


def build(options: Options, context: Context) -> "Ladder":
    """Build the posterior and the path that it shares with the decoder.

    Raises:
        UserError: there are more levels than latent dimensions.
    """
    size, levels = context.latent_shape[0], options.levels
    if size < levels:
        raise UserError(
            f"posterior {options.name} has {levels} levels, but latent is {size}; raise latent to {levels} or more."
        )
    return Ladder([len(part) for part in torch.arange(size).tensor_split(levels)], options.width)


class Ladder(Posterior):
    kind: Kind = "ladder"

    def __init__(self, sizes: list[int], width: int) -> None:
        super().__init__()
        self.sizes = sizes  # dimensions of each level, that nearest the image first
        self.features = width * len(sizes)
        self.top = nn.Parameter(torch.zeros(width))
        self.levels = nn.ModuleList(Level(size, width) for size in sizes)
        self.bottom = nn.Linear(width, sum(sizes))

    def forward(self, features: Tensor) -> LadderLatent:
        """Draw one z for each image from its features, (b, levels * width), level by level."""
        z, mean, log_var = self._inferred(features, gaussian.sample)
        return LadderLatent(z, mean, log_var, tuple(self.sizes))

    def centre(self, features: Tensor) -> Tensor:
        """The mean of each level given the means of those above, (b, latent)."""
        return self._inferred(features, lambda mean, log_var: mean)[0]

    def decoder_input(self, z: Tensor) -> Tensor:
        """z, (b, latent), plus as many numbers of the state after all levels."""
        h = self.top.expand(z.shape[0], -1)
        for level, z_l in self._downwards(z.split(self.sizes, 1)):
            h = level(h, z_l)
        return z + self.bottom(h)

    def _inferred(self, features: Tensor, choose: Callable[[Tensor, Tensor], Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """z that is chosen level by level by mean and log-variance, and both: (b, latent) each."""
        h, found = self.top.expand(features.shape[0], -1), []
        for level, of_level in self._downwards(features.float().chunk(len(self.sizes), 1)):
            mean, log_var = level.posterior(h, of_level)
            z_l = choose(mean, log_var)
            found.append((z_l, mean, log_var))
            h = level(h, z_l)
        z, mean, log_var = (torch.cat(each, 1) for each in zip(*reversed(found), strict=True))
        return z, mean, log_var

    def _downwards(self, each: Sequence[Tensor]) -> Iterator[tuple["Level", Tensor]]:
        """The levels from the top down, with a tensor for each, which are given from the lowest up."""
        for level, of_level in zip(reversed(self.levels), reversed(each), strict=True):
            assert isinstance(level, Level)
            yield level, of_level


class Level(nn.Module):
    """One level of the path.

    Args:
        size: dimensions of the level.
        width: of the state, (b, width).
    """

    def __init__(self, size: int, width: int) -> None:
        super().__init__()
        self.prior = perceptron([width, width, 2 * size])
        self.inference = perceptron([2 * width, width, 2 * size])
        self.merge = nn.Linear(size, width)
        self.residual = perceptron([width, width, width])

    def forward(self, h: Tensor, z: Tensor) -> Tensor:
        """The state after this level, from that before it and z of the level, (b, size)."""
        mean, log_deviation = self.prior(h).float().chunk(2, 1)
        h = h + self.merge(mean + log_deviation.clamp(-10, 10).exp() * z)
        return h + self.residual(h)

    def posterior(self, h: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of z given the levels above and features of the image, (b, width): (b, size) each."""
        mean, log_var = self.inference(torch.cat([h, features], 1)).float().chunk(2, 1)
        return mean, log_var.clamp(-20, 20)


def perceptron(sizes: list[int]) -> nn.Sequential:
    """Two linear layers; the activation comes first too, since states and features have none."""
    before, hidden, after = sizes
    layers = nn.Linear(before, hidden), nn.Linear(hidden, after)
    for layer in layers:  # with torch's own weights a path of so many layers hardly depends on z at first
        nn.init.kaiming_normal_(layer.weight)
        nn.init.zeros_(layer.bias)
    return nn.Sequential(nn.SiLU(), layers[0], nn.SiLU(), layers[1])
