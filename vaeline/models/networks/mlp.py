"""A perceptron for small images and points: pixels and condition side by side (Kingma and Welling, 2014, appendix C)."""

from itertools import pairwise
from math import prod
from typing import Annotated, Literal

from pydantic import Field
from torch import Tensor, nn

from vaeline.models.contracts import Context, Posterior
from vaeline.models.networks._layers import ActivationName, activation, beside, require_vectors
from vaeline.study.parts import PartOptions


class Options(PartOptions):
    widths: list[Annotated[int, Field(ge=1, le=65_536)]] = Field(
        [256, 256], min_length=1, description="units of the encoder's hidden layers; the decoder's are the reverse"
    )
    activation: Literal["relu", "leaky_relu", "silu", "tanh"] = Field("silu", description="after each hidden layer")


def build(options: Options, context: Context, posterior: Posterior) -> nn.Module:
    """Build encoder and decoder; the encoder ends in the numbers that the posterior needs.

    Raises:
        UserError: the posterior wants a map.
    """
    require_vectors(posterior, options.name)
    pixels, latent = prod(context.image_shape), context.latent_shape[0]
    widths = options.widths
    network = nn.Module()
    encoder = [pixels + context.encoder_condition, *widths, posterior.features]
    decoder = [latent + context.decoder_condition, *reversed(widths), pixels]
    network.encoder = Encoder(perceptron(encoder, options.activation))
    network.decoder = Decoder(perceptron(decoder, options.activation), context.image_shape)
    return network


def perceptron(sizes: list[int], name: ActivationName) -> nn.Sequential:
    """Linear layers with an activation between them."""
    layers: list[nn.Module] = []
    for before, after in pairwise(sizes):
        layers += [nn.Linear(before, after), activation(name)]
    return nn.Sequential(*layers[:-1])


class Encoder(nn.Module):
    def __init__(self, layers: nn.Sequential) -> None:
        super().__init__()
        self.layers = layers

    def forward(self, x: Tensor, condition: Tensor | None) -> Tensor:
        return self.layers(beside(x.flatten(1), condition))  # (b, features)


class Decoder(nn.Module):
    def __init__(self, layers: nn.Sequential, image_shape: tuple[int, ...]) -> None:
        super().__init__()
        self.layers = layers
        self.image_shape = image_shape

    def forward(self, z: Tensor, condition: Tensor | None) -> Tensor:
        return self.layers(beside(z, condition)).unflatten(1, self.image_shape)  # (b, channel, height, width)
