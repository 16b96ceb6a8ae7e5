"""A perceptron for small images: pixels and condition side by side (Kingma and Welling, 2014, appendix C)."""

from itertools import pairwise
from math import prod
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from vaeline.contracts import Context
from vaeline.parts import PartOptions


class Options(PartOptions):
    widths: list[Annotated[int, Field(ge=1, le=65_536)]] = Field(
        [256, 256], min_length=1, description="units of the encoder's hidden layers; the decoder's are the reverse"
    )


def build(options: Options, context: Context, features: int) -> nn.Module:
    """Build encoder and decoder; the encoder ends in `features` numbers an image."""
    pixels = prod(context.image_shape)
    widths = options.widths
    network = nn.Module()
    network.encoder = Encoder(perceptron([pixels + context.encoder_condition, *widths, features]))
    decoder = perceptron([prod(context.latent_shape) + context.decoder_condition, *reversed(widths), pixels])
    network.decoder = Decoder(decoder, context.image_shape)
    return network


def perceptron(sizes: list[int]) -> nn.Sequential:
    """Linear layers with SiLU between them."""
    layers: list[nn.Module] = []
    for before, after in pairwise(sizes):
        layers += [nn.Linear(before, after), nn.SiLU()]
    return nn.Sequential(*layers[:-1])


class Encoder(nn.Module):
    def __init__(self, layers: nn.Sequential) -> None:
        super().__init__()
        self.layers = layers

    def forward(self, x: Tensor, condition: Tensor | None) -> Tensor:
        h = x.flatten(1)
        return self.layers(h if condition is None else torch.cat([h, condition], 1))  # (b, features)


class Decoder(nn.Module):
    def __init__(self, layers: nn.Sequential, image_shape: tuple[int, int, int]) -> None:
        super().__init__()
        self.layers = layers
        self.image_shape = image_shape

    def forward(self, z: Tensor, condition: Tensor | None) -> Tensor:
        h = self.layers(z if condition is None else torch.cat([z, condition], 1))
        return h.unflatten(1, self.image_shape)  # (b, channel, height, width)
