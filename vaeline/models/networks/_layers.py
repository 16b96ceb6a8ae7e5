"""What the networks share: activations by name, and conditions beside vectors, maps and images."""

import math
from typing import Literal

import torch
from torch import Tensor, nn

from vaeline.models.contracts import Context, Posterior
from vaeline.system.errors import UserError

ActivationName = Literal["relu", "leaky_relu", "silu", "tanh"]
SLOPE = 0.2  # of leaky_relu


def activation(name: ActivationName) -> nn.Module:
    """A layer out of its name in a study."""
    return {"relu": nn.ReLU(), "leaky_relu": nn.LeakyReLU(SLOPE), "silu": nn.SiLU(), "tanh": nn.Tanh()}[name]


def beside(h: Tensor, condition: Tensor | None) -> Tensor:
    """A condition, (b, condition), set beside a vector, (b, any), or beside each place of a map, (b, any, rows, columns)."""
    if condition is None:
        return h
    planes = condition[(..., *[None] * (h.dim() - 2))].expand(-1, -1, *h.shape[2:])
    return torch.cat([h, planes], 1)


class Halves(nn.Module):
    """An encoder and a decoder that are plain rows of layers with rectifiers between them.

    Weights start as He et al. (2015) have them for rectifiers, but for the last layer of each half: under torch's own start a
    signal loses two thirds of its variance in each layer, so that through a dozen of them the latent hardly shows in the image,
    and the rate is driven to 0 before it does.
    """

    def __init__(self, encoder: nn.Sequential, decoder: nn.Sequential) -> None:
        super().__init__()
        self.encoder = Half(encoder)
        self.decoder = Half(decoder)
        for half in (encoder, decoder):
            *layers, _ = [layer for layer in half if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d)]
            for layer in layers:
                _start(layer)


def _start(layer: nn.Linear | nn.Conv2d | nn.ConvTranspose2d) -> None:
    weight = layer.weight
    if isinstance(layer, nn.ConvTranspose2d):  # an output pixel gathers kernel / stride^2 places of each input channel
        inputs = weight.shape[0] * weight[0, 0].numel() / math.prod(layer.stride)
    else:
        inputs = weight[0].numel()
    nn.init.normal_(weight, std=math.sqrt(2 / inputs))
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


class Half(nn.Module):
    def __init__(self, layers: nn.Sequential) -> None:
        super().__init__()
        self.layers = layers

    def forward(self, h: Tensor, condition: Tensor | None) -> Tensor:
        return self.layers(beside(h, condition))


def require_images(context: Context, network: str, size: int | None = None) -> None:
    """Refuse points and, where a network is of one size, images of another.

    Raises:
        UserError: the data have no height and width, or others.
    """
    if len(context.image_shape) != 3:
        raise UserError(f"network {network} is of images, but the data are points; take network mlp.")
    if size and context.image_shape[1:] != (size, size):
        came = "x".join(map(str, context.image_shape[1:]))
        raise UserError(f"network {network} is of images of {size}x{size}, but these are {came}; take network conv.")


def require_vectors(posterior: Posterior, network: str) -> None:
    """Refuse a posterior that wants a map of features.

    Raises:
        UserError: it does.
    """
    if posterior.takes_map:
        raise UserError(
            f"network {network} ends in a vector, but posterior vector_quantized wants a map; take network conv."
        )
