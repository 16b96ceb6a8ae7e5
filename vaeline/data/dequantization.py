"""Dequantization: stored levels to the values that networks take, and back."""

import torch
from torch import Tensor

from vaeline.data.facts import Facts


def to_range(pixels: Tensor, facts: Facts, generator: torch.Generator | None = None) -> Tensor:
    """Scale stored levels to the range of the data, in the way that `facts.pixels` names.

    `dequantized`: the range has L equal steps, and level k becomes a uniform draw from the k-th. `greys` and
    `static_binary`: level 0 becomes the lower end of the range, level L - 1 the upper end, and others lie between.
    `dynamic_binary`: each level becomes one of the two ends, the upper end with probability k / (L - 1). `points` stay as
    they are.

    Args:
        pixels: levels, (b, channel, height, width), which a rotation may have made fractional; or points.
        facts: of their store.
        generator: of the random numbers, on the pixels' device.

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
    """The level of each value, clipped, uint8; points stay as they are. The inverse of `to_range`."""
    if facts.points:
        return mean
    low, high = facts.range
    share = (mean - low) / (high - low)
    whole = (share * facts.levels).floor() if facts.pixels == "dequantized" else (share * (facts.levels - 1)).round()
    return whole.clamp(0, facts.levels - 1).to(torch.uint8)
