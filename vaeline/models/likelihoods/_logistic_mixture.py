"""Mixtures of logistic distributions over the levels of a pixel (PixelCNN++: Salimans et al., 2017, section 2).

Levels lie evenly from -1 to 1. The probability of a level is that of the interval nearer to it than to other levels; the first and the last
level take the tails. The channels of a pixel share their component, and the location of a channel is linear in those before it.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from vaeline.models.contracts import Context
from vaeline.models.output_range import centred
from vaeline.system.errors import UserError

LEAST_LOG_SCALE = -7.0  # narrower than a level of 256, beyond which nothing changes


def parameters_per_pixel(channels: int, components: int) -> int:
    """How many numbers a mixture has for each pixel: weights, locations, scales, and slopes between channels."""
    return components * (1 + 2 * channels + channels * (channels - 1) // 2)


@dataclass(frozen=True)
class Pixels:
    """What a pixel of a study may be.

    Args:
        channels: of an image.
        levels: values of a pixel.
        range: of black and white inside the networks.
    """

    channels: int
    levels: int
    range: tuple[float, float]

    @classmethod
    def of(cls, context: Context, likelihood: str) -> "Pixels":
        """Those of a context.

        Raises:
            UserError: the data are points, or pixels are dequantized, so that they have no levels.
        """
        if context.pixels in ("points", "dequantized"):
            raise UserError(
                f"likelihood {likelihood} gives each level of a pixel a probability, but pixels are {context.pixels}; set dataset.pixels to "
                "greys, static_binary or dynamic_binary, or take a Gaussian likelihood."
            )
        return cls(context.image_shape[0], context.levels, context.range)

    def scaled(self, x: Tensor) -> Tensor:
        """Pixels from their range to that from -1 to 1."""
        return centred(x, self.range)

    def unscaled(self, v: Tensor) -> Tensor:
        """Pixels from -1 to 1 back to their range."""
        low, high = self.range
        return low + (high - low) * (v + 1) / 2


class LogisticMixture:
    """The mixtures of all pixels of a batch.

    Args:
        parameters: (b, parameters_per_pixel, rows, columns).
        pixels: their channels and levels.
    """

    def __init__(self, parameters: Tensor, pixels: Pixels) -> None:
        self.channels, self.levels = pixels.channels, pixels.levels
        channels = pixels.channels
        components = parameters.shape[1] // parameters_per_pixel(channels, 1)
        each = parameters.float().unflatten(1, (components, -1))  # (b, components, any, rows, columns)
        logits, location, log_scale, slope = each.split([1, channels, channels, channels * (channels - 1) // 2], 2)
        self.log_weight = logits.squeeze(2).log_softmax(1)  # (b, components, rows, columns)
        self.location, self.log_scale = location, log_scale.clamp_min(LEAST_LOG_SCALE)
        self.slope = slope.tanh()

    def log_prob(self, v: Tensor) -> Tensor:
        """Log-probability of each pixel, (b, channels, rows, columns): nats, (b, rows, columns)."""
        total = self.log_weight
        for channel in range(self.channels):
            total = total + self._log_prob_of_channel(v, channel)
        return total.logsumexp(1)

    def sample(self) -> Tensor:
        """Draw pixels, (b, channels, rows, columns)."""
        chosen = torch.distributions.Categorical(logits=self.log_weight.movedim(1, 3)).sample().unsqueeze(1)
        v: list[Tensor] = []
        for channel in range(self.channels):
            location, scale = (each.gather(1, chosen) for each in self._of_channel(v, channel))
            v.append(self._nearest_level(location + scale * torch.rand_like(scale).clamp(1e-7, 1 - 1e-7).logit()))
        return torch.cat(v, 1)

    def mean(self) -> Tensor:
        """The mean of each pixel, (b, channels, rows, columns); of a channel after the first, given the means of those before it."""
        v: list[Tensor] = []
        for channel in range(self.channels):
            location, scale = self._of_channel(v, channel)
            above = torch.zeros_like(location)
            for edge in range(1, self.levels):
                above = above + ((location - self._edge(edge)) / scale).sigmoid()
            v.append(2 * above / (self.levels - 1) - 1)  # (b, components, rows, columns)
        weight = self.log_weight.exp()
        return torch.stack([(weight * each).sum(1) for each in v], 1)

    def _edge(self, level: int) -> float:
        """The limit between a level and the one below."""
        return (2 * level - 1) / (self.levels - 1) - 1

    def _nearest_level(self, v: Tensor) -> Tensor:
        steps = self.levels - 1
        return ((v + 1) * steps / 2).round().clamp(0, steps) * 2 / steps - 1

    def _of_channel(self, before: list[Tensor], channel: int) -> tuple[Tensor, Tensor]:
        """Location and scale of a channel given those before it: (b, components, rows, columns) each."""
        location, first = self.location[:, :, channel], channel * (channel - 1) // 2
        for other in range(channel):
            location = location + self.slope[:, :, first + other] * before[other]
        return location, self.log_scale[:, :, channel].exp()

    def _log_prob_of_channel(self, v: Tensor, channel: int) -> Tensor:
        """Log-probability of a channel under each component, (b, components, rows, columns)."""
        location, scale = self._of_channel(list(v.split(1, 1)), channel)
        half, of_channel = 1 / (self.levels - 1), v[:, channel : channel + 1]
        upper, lower = (of_channel + half - location) / scale, (of_channel - half - location) / scale
        below, above = logsigmoid(upper), logsigmoid(-lower)
        # sigmoid(upper) - sigmoid(lower), as a product that does not cancel.
        between = below + above + (-(-2 * half / scale).expm1()).log()
        return torch.where(of_channel < half - 1, below, torch.where(of_channel > 1 - half, above, between))
