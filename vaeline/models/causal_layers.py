"""The gated layers of a PixelCNN (van den Oord et al., 2016).

Places are taken row by row, left to right. A vertical stack sees the rows above a place, and a horizontal stack the places to its left;
together they see everything before the place.
"""

from torch import Tensor, nn
from torch.nn import functional


class GatedLayer(nn.Module):
    """One layer of both stacks; in the first layer, the horizontal stack does not see the place itself."""

    def __init__(self, width: int, kernel: int, condition: int, first: bool) -> None:
        super().__init__()
        self.reach, self.first = kernel // 2, first
        self.above = nn.Conv2d(width, 2 * width, (self.reach + 1, kernel))
        self.left = nn.Conv2d(width, 2 * width, (1, self.reach + 1))
        self.down = nn.Conv2d(2 * width, 2 * width, 1)
        self.out = nn.Conv2d(width, width, 1)
        self.condition = nn.Linear(condition, 4 * width, bias=False) if condition else None

    def forward(self, vertical: Tensor, horizontal: Tensor, condition: Tensor | None) -> tuple[Tensor, Tensor]:
        """Both stacks, (b, width, rows, columns) each, given a condition, (b, condition, rows or 1, columns or 1)."""
        columns, reach = horizontal.shape[3], self.reach
        above = self.above(functional.pad(vertical, (reach, reach, reach, 0)))  # rows up to that of the place
        left = self.left(functional.pad(horizontal, (reach + self.first, 0, 0, 0))[..., : columns + reach])
        if self.condition is not None and condition is not None:
            of_above, of_left = self.condition(condition.movedim(1, 3)).movedim(3, 1).chunk(2, 1)
            above, left = above + of_above, left + of_left
        left = left + self.down(functional.pad(above, (0, 0, 1, 0))[:, :, :-1])  # rows above the place
        out = self.out(_gate(left))
        return _gate(above), out if self.first else horizontal + out


def _gate(h: Tensor) -> Tensor:
    signal, gate = h.chunk(2, 1)
    return signal.tanh() * gate.sigmoid()
