"""Strided convolutions down to a small map and back, for images of any size.

The layout is that of the conditional VAE with a normalizing-flow prior (four layers, kernel 4, stride 2, widths
doubling): the condition enters the encoder as one more image plane, and the decoder together with the latent. For a
posterior that takes a map, the encoder ends in the small map itself, and the decoder starts from it. With `attention`, each
place of the small map also attends to the attributes, in both halves (as in Rombach et al., 2022, section 3.3).
"""

from itertools import pairwise
from math import prod
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from vaeline.models.attention import CrossAttention, check_heads
from vaeline.models.contracts import Context, Network, Posterior
from vaeline.models.networks._layers import activation, with_condition
from vaeline.models.part_checks import require_halvings, require_images
from vaeline.study.parts import PartOptions
from vaeline.system.errors import UserError


class Options(PartOptions):
    width: int = Field(32, ge=1, le=1024, description="channels of the first layer; each further layer doubles them")
    depth: int = Field(4, ge=1, le=8, description="layers; each halves height and width")
    norm: Literal["none", "batch"] = Field("batch", description="normalisation after each layer")
    activation: Literal["relu", "leaky_relu", "silu", "tanh"] = Field("leaky_relu", description="after each layer")
    upsample: Literal["transposed", "nearest"] = Field(
        "transposed",
        description="how the decoder doubles height and width: by transposed convolutions, or by repeating pixels and a convolution, which "
        "leaves no checkerboard (Odena et al., 2016)",
    )
    attention: int = Field(
        0,
        ge=0,
        le=64,
        description="heads by which places of the small map attend to the attributes, in each half that sees them; 0 for none",
    )


def build(options: Options, context: Context, posterior: Posterior) -> Network:
    """Build encoder and decoder; the encoder ends in the numbers, or the map, that the posterior needs.

    Raises:
        UserError: the images are too small for so many layers, or the data are points; or there are no attributes to attend to.
    """
    require_images(context, f"network {options.name}", "take network mlp")
    require_halvings(context, options.depth, "network.depth")
    channels, *size = context.image_shape
    sizes = [(size[0] // 2**layer, size[1] // 2**layer) for layer in range(options.depth + 1)]
    widths = [options.width * 2**layer for layer in range(options.depth)]
    _check_attention(options, context, widths[-1])
    encoder = Encoder(
        nn.Linear(context.encoder_condition, prod(size)) if context.encoder_condition else None,
        _downwards([channels + bool(context.encoder_condition), *widths], options),
        _head(widths[-1], sizes[-1], posterior),
        sizes[0],
        _attention(options, context, context.encoder_condition, widths[-1]),
    )
    decoder = Decoder(
        _stem(context.latent_shape[0] + context.decoder_condition, widths[-1], sizes[-1], posterior.takes_map),
        nn.Sequential(
            *_after(widths[-1], options), *_upwards([*widths[::-1], context.output_shape[0]], sizes[::-1], options)
        ),
        (context.latent_shape[0], *sizes[-1]) if posterior.takes_map else (context.latent_shape[0],),
        _attention(options, context, context.decoder_condition, widths[-1]),
    )
    return Network(encoder, decoder, map_size=sizes[-1])


def _check_attention(options: Options, context: Context, width: int) -> None:
    if not options.attention:
        return
    if context.condition_columns == 1 or not (context.encoder_condition or context.decoder_condition):
        seen = "the labels as one vector" if context.prior_condition else "no labels"
        raise UserError(
            f"network.attention is {options.attention}, but the network sees {seen}, so that there is nothing to choose from; set attention to 0, "
            "or take a data set with several attributes, condition.embedding a number, and encoder or decoder true."
        )
    check_heads("network.attention", options.attention, "the channels of the small map", width)


def _attention(options: Options, context: Context, condition: int, width: int) -> CrossAttention | None:
    if not options.attention or not condition:
        return None
    return CrossAttention(width, condition, context.condition_columns, options.attention)


def _downwards(widths: list[int], options: Options) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        conv = nn.Conv2d(before, after, 4, stride=2, padding=1, bias=options.norm == "none")
        layers += [conv, *_after(after, options)]
    return nn.Sequential(*layers)


def _upwards(widths: list[int], sizes: list[tuple[int, int]], options: Options) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for (before, after), (small, large) in zip(pairwise(widths), pairwise(sizes), strict=True):
        last = large == sizes[-1]
        bias = last or options.norm == "none"
        layers += [*_doubled(before, after, small, large, bias, options), *([] if last else _after(after, options))]
    return layers


def _doubled(
    before: int, after: int, small: tuple[int, int], large: tuple[int, int], bias: bool, options: Options
) -> list[nn.Module]:
    """Layers from a small map to one of twice its size; an odd side is one pixel more."""
    if options.upsample == "nearest":
        return [nn.Upsample(size=large), nn.Conv2d(before, after, 3, padding=1, bias=bias)]
    odd = (large[0] - 2 * small[0], large[1] - 2 * small[1])
    return [nn.ConvTranspose2d(before, after, 4, stride=2, padding=1, output_padding=odd, bias=bias)]


def _head(width: int, size: tuple[int, int], posterior: Posterior) -> nn.Module:
    if posterior.takes_map:
        return nn.Conv2d(width, posterior.features, 1)
    return nn.Sequential(nn.Flatten(), nn.Linear(width * prod(size), posterior.features))


def _stem(latent: int, width: int, size: tuple[int, int], takes_map: bool) -> nn.Module:
    if takes_map:
        return nn.Conv2d(latent, width, 1)
    return nn.Sequential(nn.Linear(latent, width * prod(size)), nn.Unflatten(1, (width, *size)))


def _after(width: int, options: Options) -> list[nn.Module]:
    """The layers after each convolution."""
    norm = [nn.BatchNorm2d(width)] if options.norm == "batch" else []
    return [*norm, activation(options.activation)]


class Encoder(nn.Module):
    def __init__(
        self,
        plane: nn.Linear | None,
        layers: nn.Sequential,
        head: nn.Module,
        size: tuple[int, int],
        attention: CrossAttention | None,
    ) -> None:
        super().__init__()
        self.attention = attention
        self.plane = plane
        self.layers = layers
        self.head = head
        self.size = size

    def forward(self, x: Tensor, condition: Tensor | None) -> Tensor:
        if self.plane is not None and condition is not None:
            plane = self.plane(condition).unflatten(1, (1, *self.size))  # (b, 1, height, width)
            x = torch.cat([x, plane], 1)
        h = self.layers(x)
        if self.attention is not None and condition is not None:
            h = self.attention(h, condition)
        return self.head(h)  # (b, features) or (b, features, rows, columns)


class Decoder(nn.Module):
    def __init__(
        self, stem: nn.Module, layers: nn.Sequential, latent_shape: tuple[int, ...], attention: CrossAttention | None
    ) -> None:
        super().__init__()
        self.attention = attention
        self.stem = stem
        self.layers = layers
        self.latent_shape = latent_shape

    def forward(self, z: Tensor, condition: Tensor | None) -> Tensor:
        z = z.reshape(z.shape[0], *self.latent_shape)  # a map may come as a vector
        h = self.stem(with_condition(z, condition))
        if self.attention is not None and condition is not None:
            h = self.attention(h, condition)
        return self.layers(h)  # (b, output channels, height, width)
