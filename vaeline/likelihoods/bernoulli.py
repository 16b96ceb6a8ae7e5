"""A Bernoulli for each pixel, of black and white images or, as its expectation, of greys (Kingma and Welling, 2014)."""

from torch import Tensor, nn
from torch.nn import functional

from vaeline.contracts import Context
from vaeline.errors import UserError
from vaeline.parts import PartOptions


class Options(PartOptions):
    pass


def build(options: Options, context: Context) -> "Bernoulli":
    """Build p(x|z) with the decoder's mean as the probability of white.

    Raises:
        UserError: pixels do not lie in [0, 1], or carry noise that would be coded along.
    """
    if context.pixels in ("dequantized", "points") or context.range != (0, 1):
        came = f"dataset.range is {list(context.range)}" if context.range != (0, 1) else f"pixels are {context.pixels}"
        raise UserError(
            f"likelihood bernoulli is of pixels in [0, 1] without noise, but {came}; set dataset.range to [0, 1] and dataset.pixels "
            "to greys, static_binary or dynamic_binary, or take a Gaussian likelihood."
        )
    return Bernoulli()


class Bernoulli(nn.Module):
    fixed = True
    sigma = None

    def log_prob(self, x: Tensor, mean: Tensor) -> Tensor:
        """Log-probability of each image, (b, channel, height, width): nats, summed over pixels, (b,).

        A pixel whose mean float32 cannot tell from 0 or 1 costs 100 nats where it is wrong.
        """
        return -functional.binary_cross_entropy(mean, x, reduction="none").flatten(1).sum(1)

    def calibrate(self, mean_squared_error: float) -> None:
        """There is no sigma."""
