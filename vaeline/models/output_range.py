"""What brings a network's unbounded output into the range of images."""

from torch import Tensor

from vaeline.models.contracts import Context


class OutputRange:
    """Images through a sigmoid into their range; points as they are."""

    def __init__(self, context: Context) -> None:
        self.range = None if context.pixels == "points" else context.range

    def __call__(self, h: Tensor) -> Tensor:
        if self.range is None:
            return h
        low, high = self.range
        return low + (high - low) * h.sigmoid()
