"""A perceptron for small images and points, on pixels and condition concatenated (Kingma and Welling, 2014, appendix C)."""

from itertools import pairwise
from math import prod
from typing import Annotated, Literal

from pydantic import Field
from torch import Tensor, nn

from vaeline.models.contracts import Context, Network, Posterior
from vaeline.models.networks._layers import ActivationName, activation, require_vectors, with_condition
from vaeline.study.parts import PartOptions


class Options(PartOptions):
    widths: list[Annotated[int, Field(ge=1, le=65_536)]] = Field(
        [256, 256],
        description="units of the encoder's hidden layers; the decoder's are the reverse; [] for a linear encoder and decoder",
    )
    activation: Literal["relu", "leaky_relu", "silu", "tanh", "gated"] = Field(
        "silu", description="after each hidden layer; gated: times the sigmoid of a second linear layer"
    )


def build(options: Options, context: Context, posterior: Posterior) -> Network:
    """Build encoder and decoder; the encoder ends in the numbers that the posterior needs.

    Raises:
        UserError: the posterior takes a map.
    """
    require_vectors(posterior, options.name)
    pixels, latent = prod(context.image_shape), context.latent_shape[0]
    widths = options.widths
    encoder_sizes = [pixels + context.encoder_condition, *widths, posterior.features]
    decoder_sizes = [latent + context.decoder_condition, *reversed(widths), prod(context.output_shape)]
    encoder = Encoder(perceptron(encoder_sizes, options.activation))
    decoder = Decoder(perceptron(decoder_sizes, options.activation), context.output_shape)
    return Network(encoder, decoder)


def perceptron(sizes: list[int], name: ActivationName | Literal["gated"]) -> nn.Sequential:
    """Linear layers with an activation between them, or gated layers before the last one."""
    layers: list[nn.Module] = []
    *hidden, last = pairwise(sizes)
    for before, after in hidden:
        layers += [Gated(before, after)] if name == "gated" else [nn.Linear(before, after), activation(name)]
    return nn.Sequential(*layers, nn.Linear(*last))


class Gated(nn.Module):
    """A linear layer whose units are switched by the sigmoid of another one (Dauphin et al., 2017, eq. 1)."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.linear, self.gate = nn.Linear(before, after), nn.Linear(before, after)

    def forward(self, h: Tensor) -> Tensor:
        return self.linear(h) * self.gate(h).sigmoid()  # (b, after)


class Encoder(nn.Module):
    def __init__(self, layers: nn.Sequential) -> None:
        super().__init__()
        self.layers = layers

    def forward(self, x: Tensor, condition: Tensor | None) -> Tensor:
        return self.layers(with_condition(x.flatten(1), condition))  # (b, features)


class Decoder(nn.Module):
    def __init__(self, layers: nn.Sequential, output_shape: tuple[int, ...]) -> None:
        super().__init__()
        self.layers = layers
        self.output_shape = output_shape

    def forward(self, z: Tensor, condition: Tensor | None) -> Tensor:
        h = self.layers(with_condition(z, condition))
        return h.unflatten(1, self.output_shape)  # (b, output channels, height, width)
