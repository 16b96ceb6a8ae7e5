"""A mixture of logistic distributions for each pixel, independent given z (Salimans et al., 2017, section 2.1)."""

from pydantic import Field
from torch import Tensor

from vaeline.models.contracts import Context, Likelihood, Sigma
from vaeline.models.likelihoods._logistic_mixture import LogisticMixture, Pixels, parameters_per_pixel
from vaeline.study.parts import PartOptions


class Options(PartOptions):
    components: int = Field(5, ge=1, le=100, description="logistic distributions in the mixture of each pixel")


def build(options: Options, context: Context) -> "IndependentPixels":
    """Build p(x|z) with the decoder's output as the parameters of the mixtures.

    Raises:
        UserError: the data are points, or pixels are dequantized.
    """
    return IndependentPixels(Pixels.of(context, options.name), options.components)


class IndependentPixels(Likelihood):
    kind: Sigma = "none"
    sigma = None
    of_levels = True

    def __init__(self, pixels: Pixels, components: int) -> None:
        super().__init__()
        self.pixels = pixels
        self.output_channels = parameters_per_pixel(pixels.channels, components)

    def mean(self, h: Tensor) -> Tensor:
        """The mean of each pixel, (b, channel, height, width); of colours, given the means of the colours before."""
        return self.pixels.unscaled(LogisticMixture(h, self.pixels).mean())

    def log_prob(self, x: Tensor, h: Tensor) -> Tensor:
        """Log-probability of each image, (b, channel, height, width): nats, summed over pixels, (b,)."""
        return LogisticMixture(h, self.pixels).log_prob(self.pixels.scaled(x)).flatten(1).sum(1)

    def sample(self, h: Tensor) -> Tensor:
        """Draw levels."""
        return self.pixels.unscaled(LogisticMixture(h, self.pixels).sample())
