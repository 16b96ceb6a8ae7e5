"""The range of images: maps the unbounded output of a network into it, and images to [-1, 1]."""

from torch import Tensor

from vaeline.models.contracts import Context


def centred(x: Tensor, of_range: tuple[float, float]) -> Tensor:
    """Images in a range scaled to [-1, 1]."""
    low, high = of_range
    return (x - low) * (2 / (high - low)) - 1


class OutputRange:
    """Sends images through a sigmoid into their range; leaves points unchanged."""

    def __init__(self, context: Context) -> None:
        self.range = None if context.pixels == "points" else context.range

    def __call__(self, h: Tensor) -> Tensor:
        if self.range is None:
            return h
        low, high = self.range
        return low + (high - low) * h.sigmoid()

    def slope(self, h: Tensor) -> Tensor:
        """The derivative at each element of h."""
        if self.range is None:
            return h.new_ones(()).expand_as(h)
        low, high = self.range
        share = h.sigmoid()
        return (high - low) * share * (1 - share)
