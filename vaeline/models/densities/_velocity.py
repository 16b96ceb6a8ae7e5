"""Velocity fields v(z, t, condition) of flow matching: a perceptron for vectors, a small U-Net for maps."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

FREQUENCIES = 16  # of the features of time


class VectorVelocity(nn.Module):
    """Residual layers on z, time and condition concatenated.

    Args:
        size: dimensions of z.
        condition: size of the condition, 0 for none.
        width: units of each hidden layer.
        depth: residual layers.
    """

    def __init__(self, size: int, condition: int, width: int, depth: int) -> None:
        super().__init__()
        self.into = nn.Linear(size + 2 * FREQUENCIES + condition, width)
        self.layers = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))
            for _ in range(depth)
        )
        self.out = nn.Linear(width, size)

    def forward(self, z: Tensor, time: Tensor, condition: Tensor | None) -> Tensor:
        """z, (b, size), at times, (b,): its velocity, (b, size)."""
        h = self.into(torch.cat([z, embedded(time, condition)], 1))
        for layer in self.layers:
            h = h + layer(h)
        return self.out(functional.silu(h))


class MapVelocity(nn.Module):
    """A U-Net of two sizes (Ronneberger et al., 2015); time and condition shift the channels of each block.

    Args:
        shape: channels, rows, columns of the map.
        condition: size of the condition, 0 for none.
        width: channels at the full size; twice as many at half of it.
        depth: blocks at each size on the way down, and on the way up.
    """

    def __init__(self, shape: tuple[int, int, int], condition: int, width: int, depth: int) -> None:
        super().__init__()
        self.shape = shape
        self.embedding = nn.Sequential(nn.Linear(2 * FREQUENCIES + condition, 2 * width), nn.SiLU())
        self.into = nn.Conv2d(shape[0], width, 3, padding=1)
        self.large = nn.ModuleList(Block(width, width, 2 * width) for _ in range(depth))
        self.down = nn.Conv2d(width, 2 * width, 3, stride=2, padding=1)
        self.small = nn.ModuleList(Block(2 * width, 2 * width, 2 * width) for _ in range(depth))
        self.back = nn.ModuleList(Block(width if index else 3 * width, width, 2 * width) for index in range(depth))
        self.out = nn.Sequential(nn.GroupNorm(1, width), nn.SiLU(), nn.Conv2d(width, shape[0], 3, padding=1))

    def forward(self, z: Tensor, time: Tensor, condition: Tensor | None) -> Tensor:
        """z, a map as a vector, (b, channels * rows * columns), at times, (b,): its velocity, the shape of z."""
        embedding = self.embedding(embedded(time, condition))
        skipped = self.into(z.unflatten(1, self.shape))
        for block in self.large:
            skipped = block(skipped, embedding)
        h = self.down(skipped)
        for block in self.small:
            h = block(h, embedding)
        h = torch.cat([functional.interpolate(h, size=self.shape[1:]), skipped], 1)  # (b, 3 width, rows, columns)
        for block in self.back:
            h = block(h, embedding)
        return self.out(h).flatten(1)


class Block(nn.Module):
    """Two convolutions, with a shift of the channels between them, added to their input."""

    def __init__(self, before: int, after: int, embedding: int) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.GroupNorm(1, before), nn.SiLU(), nn.Conv2d(before, after, 3, padding=1))
        self.shift = nn.Linear(embedding, after)
        self.second = nn.Sequential(nn.GroupNorm(1, after), nn.SiLU(), nn.Conv2d(after, after, 3, padding=1))
        self.past = nn.Conv2d(before, after, 1) if before != after else nn.Identity()

    def forward(self, h: Tensor, embedding: Tensor) -> Tensor:
        shifted = self.first(h) + self.shift(embedding)[..., None, None]
        return self.past(h) + self.second(shifted)


def embedded(time: Tensor, condition: Tensor | None) -> Tensor:
    """Sines and cosines of times, (b,), from one turn in 4 to many, and the condition: (b, 2 FREQUENCIES + condition)."""
    frequencies = math.pi / 2 * 1.5 ** torch.arange(FREQUENCIES, device=time.device)
    angles = time.unsqueeze(1) * frequencies
    return torch.cat([angles.sin(), angles.cos(), *([] if condition is None else [condition])], 1)
