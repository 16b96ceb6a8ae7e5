"""Strided convolutions down to a small map and transposed ones back, for images of any size.

The layout is that of the conditional VAE with a normalizing-flow prior (four layers, kernel 4, stride 2, widths
doubling): the condition enters the encoder as one more image plane and the decoder beside the latent.
"""

from itertools import pairwise
from math import prod
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from vaeline.contracts import Context
from vaeline.errors import UserError
from vaeline.parts import PartOptions


class Options(PartOptions):
    width: int = Field(32, ge=1, le=1024, description="channels of the first layer; each further layer doubles them")
    depth: int = Field(4, ge=1, le=8, description="layers; each halves height and width")
    norm: Literal["none", "batch"] = Field("batch", description="normalisation after each layer")


def build(options: Options, context: Context, features: int) -> nn.Module:
    """Build encoder and decoder; the encoder ends in `features` numbers an image.

    Raises:
        UserError: the images are too small for so many layers.
    """
    channels, *size = context.image_shape
    sizes = [tuple(side // 2**layer for side in size) for layer in range(options.depth + 1)]
    if min(sizes[-1]) < 1:
        raise UserError(
            f"network.depth is {options.depth}, but images of {size[0]}x{size[1]} halve only "
            f"{min(size).bit_length() - 1} times; lower the depth."
        )
    widths = [options.width * 2**layer for layer in range(options.depth)]
    network = nn.Module()
    network.encoder = Encoder(channels, sizes, widths, options.norm, context.encoder_condition, features)
    network.decoder = Decoder(
        channels, sizes[::-1], widths[::-1], options.norm, prod(context.latent_shape) + context.decoder_condition
    )
    return network


class Encoder(nn.Module):
    def __init__(
        self, channels: int, sizes: list[tuple[int, ...]], widths: list[int], norm: str, condition: int, features: int
    ) -> None:
        super().__init__()
        self.size = sizes[0]
        self.plane = nn.Linear(condition, prod(self.size)) if condition else None
        layers: list[nn.Module] = []
        for before, after in pairwise([channels + bool(condition), *widths]):
            layers += [nn.Conv2d(before, after, 4, stride=2, padding=1, bias=norm == "none"), *_activate(after, norm)]
        self.layers = nn.Sequential(*layers)
        self.head = nn.Linear(widths[-1] * prod(sizes[-1]), features)

    def forward(self, x: Tensor, condition: Tensor | None) -> Tensor:
        if self.plane is not None and condition is not None:
            plane = self.plane(condition).unflatten(1, (1, *self.size))  # (b, 1, height, width)
            x = torch.cat([x, plane], 1)
        return self.head(self.layers(x).flatten(1))  # (b, features)


class Decoder(nn.Module):
    def __init__(self, channels: int, sizes: list[tuple[int, ...]], widths: list[int], norm: str, latent: int) -> None:
        super().__init__()
        self.shape = (widths[0], *sizes[0])
        self.stem = nn.Linear(latent, prod(self.shape))
        layers: list[nn.Module] = []
        for (before, after), (small, large) in zip(pairwise([*widths, channels]), pairwise(sizes), strict=True):
            # An odd side needs one pixel more than twice its half.
            odd = (large[0] - 2 * small[0], large[1] - 2 * small[1])
            last = large == sizes[-1]
            layers += [
                nn.ConvTranspose2d(
                    before, after, 4, stride=2, padding=1, output_padding=odd, bias=last or norm == "none"
                ),
                *([] if last else _activate(after, norm)),
            ]
        self.layers = nn.Sequential(*_activate(widths[0], norm), *layers)

    def forward(self, z: Tensor, condition: Tensor | None) -> Tensor:
        h = self.stem(z if condition is None else torch.cat([z, condition], 1))
        return self.layers(h.unflatten(1, self.shape))  # (b, channel, height, width)


def _activate(width: int, norm: str) -> list[nn.Module]:
    return [*([nn.BatchNorm2d(width)] if norm == "batch" else []), nn.LeakyReLU(0.2)]
