"""Code shared by the networks: activations by name, conditions concatenated to vectors and maps, initial weights."""

import math
from typing import Literal

import torch
from torch import Tensor, nn

from vaeline.models.contracts import Context, Network, Posterior
from vaeline.models.part_checks import require_images
from vaeline.study.parts import PartOptions
from vaeline.system.errors import UserError

ActivationName = Literal["relu", "leaky_relu", "silu", "tanh"]
SLOPE = 0.2  # of leaky_relu


def activation(name: ActivationName) -> nn.Module:
    """A layer by its name in a study."""
    return {"relu": nn.ReLU(), "leaky_relu": nn.LeakyReLU(SLOPE), "silu": nn.SiLU(), "tanh": nn.Tanh()}[name]


def with_condition(h: Tensor, condition: Tensor | None) -> Tensor:
    """Concatenate a condition, (b, condition), to a vector, (b, any), or to each place of a map, (b, any, rows, columns)."""
    if condition is None:
        return h
    planes = condition[(..., *[None] * (h.dim() - 2))].expand(-1, -1, *h.shape[2:])
    return torch.cat([h, planes], 1)


class Halves(Network):
    """An encoder and a decoder that are sequences of layers with rectifiers between them.

    Weights start as in He et al. (2015) for rectifiers, except in the last layer of each half. With torch's own initial weights
    a signal loses two thirds of its variance in each layer: after a dozen layers the image hardly depends on the latent, and
    training drives the rate to 0 before the dependence grows.
    """

    def __init__(self, encoder: nn.Sequential, decoder: nn.Sequential) -> None:
        super().__init__(Half(encoder), Half(decoder))
        for half in (encoder, decoder):
            *layers, _ = [layer for layer in half if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d)]
            for layer in layers:
                _start(layer)


def _start(layer: nn.Linear | nn.Conv2d | nn.ConvTranspose2d) -> None:
    weight = layer.weight
    if isinstance(layer, nn.ConvTranspose2d):  # an output pixel sums kernel / stride^2 places of each input channel
        inputs = weight.shape[0] * weight[0, 0].numel() / math.prod(layer.stride)
    else:
        inputs = weight[0].numel()
    nn.init.normal_(weight, std=math.sqrt(2 / inputs))
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


class Half(nn.Module):
    """Any module as an encoder or a decoder: it takes the condition as further channels of an image, or numbers of a latent."""

    def __init__(self, layers: nn.Module) -> None:
        super().__init__()
        self.layers = layers

    def forward(self, h: Tensor, condition: Tensor | None) -> Tensor:
        return self.layers(with_condition(h, condition))


def require_size(context: Context, options: PartOptions) -> None:
    """Refuse points, and images of another size than the `image_size` of a network's options.

    Raises:
        UserError: the data are points, or the images have another size.
    """
    require_images(context, f"network {options.name}", "take network mlp")
    size = options.image_size
    if context.image_shape[1:] != (size, size):
        came = "x".join(map(str, context.image_shape[1:]))
        raise UserError(
            f"network {options.name} takes images of {size}x{size}, but these are {came}; take network conv or mlp."
        )


def require_vectors(posterior: Posterior, network: str) -> None:
    """Refuse a posterior that needs a map of features.

    Raises:
        UserError: the posterior takes a map.
    """
    if posterior.takes_map:
        raise UserError(f"network {network} ends in a vector, but this posterior needs a map; take network conv.")
