"""An autoregressive p(x|z): a PixelCNN whose layers see a map that the decoder makes of z (PixelVAE: Gulrajani et al., 2017).

Each pixel is a mixture of logistic distributions (Salimans et al., 2017) given z and the pixels before it, row by row. Its log-probability
takes one pass, and a draw a pass for each pixel. The mean over all draws has no closed form: an image of such a model is a draw.
"""

import torch
from pydantic import Field
from torch import Tensor, nn

from vaeline.models.causal_layers import GatedLayer
from vaeline.models.contracts import Context, Likelihood, Sigma
from vaeline.models.likelihoods._logistic_mixture import LogisticMixture, Pixels, parameters_per_pixel
from vaeline.models.part_checks import require_odd_kernel
from vaeline.study.parts import PartOptions


class Options(PartOptions):
    features: int = Field(16, ge=1, le=1024, description="channels of the map that the decoder makes of z")
    width: int = Field(32, ge=1, le=4096, description="channels of each stack")
    layers: int = Field(4, ge=1, le=64, description="gated layers; the first sees only the pixels before")
    kernel: int = Field(3, ge=3, le=15, description="pixels that a layer sees from side to side, an odd number")
    components: int = Field(5, ge=1, le=100, description="logistic distributions in the mixture of each pixel")


def build(options: Options, context: Context) -> "PixelCNN":
    """Build the network between the decoder's map and the parameters of the mixtures.

    Raises:
        UserError: the data are points, pixels are dequantized, or the kernel is even.
    """
    pixels = Pixels.of(context, options.name)
    require_odd_kernel(options.kernel, "likelihood.kernel", "pixel")
    return PixelCNN(options, pixels)


class PixelCNN(Likelihood):
    kind: Sigma = "none"
    sigma = None
    has_mean = False
    of_levels = True

    def __init__(self, options: Options, pixels: Pixels) -> None:
        super().__init__()
        self.pixels = pixels
        self.output_channels = options.features
        width = options.width
        self.first = nn.Conv2d(pixels.channels, width, 1)
        self.layers = nn.ModuleList(
            GatedLayer(width, options.kernel, options.features, first=index == 0) for index in range(options.layers)
        )
        last = nn.Conv2d(width, parameters_per_pixel(pixels.channels, options.components), 1)
        self.head = nn.Sequential(nn.ReLU(), nn.Conv2d(width, width, 1), nn.ReLU(), last)

    def log_prob(self, x: Tensor, h: Tensor) -> Tensor:
        """Log-probability of each image, (b, channel, height, width): nats, summed over pixels, (b,)."""
        v = self.pixels.scaled(x)
        return LogisticMixture(self._of_mixtures(v, h), self.pixels).log_prob(v).flatten(1).sum(1)

    @torch.no_grad()
    def sample(self, h: Tensor) -> Tensor:
        """Draw images pixel by pixel, (b, channel, height, width)."""
        v = h.new_zeros(len(h), self.pixels.channels, *h.shape[2:])
        for row in range(h.shape[2]):
            for column in range(h.shape[3]):
                # The rows below do not affect the pixel.
                parameters = self._of_mixtures(v[:, :, : row + 1], h[:, :, : row + 1])[:, :, row, column, None, None]
                v[:, :, row, column] = LogisticMixture(parameters, self.pixels).sample()[..., 0, 0]
        return self.pixels.unscaled(v)

    def mean(self, h: Tensor) -> Tensor:
        """A draw."""
        return self.sample(h)

    def _of_mixtures(self, v: Tensor, h: Tensor) -> Tensor:
        """The parameters of each pixel's mixture given the pixels before it and the decoder's map: (b, parameters, rows, columns)."""
        vertical = horizontal = self.first(v)
        for layer in self.layers:
            vertical, horizontal = layer(vertical, horizontal, h)
        return self.head(horizontal)
