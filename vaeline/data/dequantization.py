"""Stored levels to the values that networks take, and back."""

import torch
from torch import Tensor

from vaeline.data.facts import Facts


def to_range(pixels: Tensor, facts: Facts, generator: torch.Generator | None = None) -> Tensor:
    """Scale what is stored to the data's range, as `facts.pixels` says.

    `dequantized`: level k of L becomes a value, drawn uniformly, of the k-th of L equal steps of the range. `greys` and
    `static_binary`: level 0 becomes its lower end, L - 1 its upper, others lie between. `dynamic_binary`: one of the two
    ends, the upper with probability k / (L - 1). `points` stay as they are.

    Args:
        pixels: levels, (b, channel, height, width), whole or between two after a rotation; or points.
        facts: of the store that they come from.
        generator: of all that is drawn, on the pixels' device.

    Returns:
        float32, the same shape, inside `facts.range`.
    """
    if facts.points:
        return pixels
    low, high = facts.range
    if facts.pixels in ("greys", "static_binary"):
        return ((high - low) / (facts.levels - 1) * pixels).add_(low)
    noise = torch.rand(pixels.shape, generator=generator, device=pixels.device)
    if facts.pixels == "dynamic_binary":
        return low + (high - low) * (noise < pixels / (facts.levels - 1)).float()
    return noise.add_(pixels).mul_((high - low) / facts.levels).add_(low)


def to_pixels(mean: Tensor, facts: Facts) -> Tensor:
    """The level that stands for each value, clipped, uint8; points stay as they are: the inverse of `to_range`."""
    if facts.points:
        return mean
    low, high = facts.range
    share = (mean - low) / (high - low)
    whole = (share * facts.levels).floor() if facts.pixels == "dequantized" else (share * (facts.levels - 1)).round()
    return whole.clamp(0, facts.levels - 1).to(torch.uint8)
