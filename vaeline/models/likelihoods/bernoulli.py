"""A Bernoulli for each pixel, of black and white images, or of greys as expectations (Kingma and Welling, 2014)."""

from torch import Tensor
from torch.nn import functional

from vaeline.models.contracts import Context, Likelihood, Sigma
from vaeline.models.part_checks import require_images
from vaeline.study.parts import PartOptions
from vaeline.system.errors import UserError


class Options(PartOptions):
    pass


def build(options: Options, context: Context) -> "Bernoulli":
    """Build p(x|z) with the decoder's output as the log-odds of white.

    Raises:
        UserError: the data are points, or pixels do not lie in [0, 1], or are dequantized.
    """
    require_images(context, f"likelihood {options.name}", "take fixed_sigma, learned_sigma or optimal_sigma")
    if context.pixels == "dequantized" or context.range != (0, 1):
        came = f"dataset.range is {list(context.range)}" if context.range != (0, 1) else f"pixels are {context.pixels}"
        raise UserError(
            f"likelihood {options.name} models pixels in [0, 1] without noise, but {came}; set dataset.range to [0, 1] and dataset.pixels "
            "to greys, static_binary or dynamic_binary, or take a Gaussian likelihood."
        )
    return Bernoulli()


class Bernoulli(Likelihood):
    kind: Sigma = "none"
    sigma = None

    def mean(self, h: Tensor) -> Tensor:
        """The probability of white."""
        return h.sigmoid()

    def log_prob(self, x: Tensor, h: Tensor) -> Tensor:
        """Log-probability of each image, (b, channel, height, width): nats, summed over pixels, (b,)."""
        # Two sums: the difference of the two terms for each pixel would be written once and read twice.
        return (x * h).flatten(1).sum(1) - functional.softplus(h).flatten(1).sum(1)

    def curvature(self, x: Tensor, h: Tensor) -> Tensor:
        """p (1 - p) of each pixel."""
        return self.mean(h) * (1 - self.mean(h))

    def sample(self, h: Tensor) -> Tensor:
        """Draw black and white pixels."""
        return self.mean(h).bernoulli()
