"""Attention of some vectors to others (Vaswani et al., 2017, section 3.2)."""

from math import sqrt

from torch import Tensor, nn

from vaeline.system.errors import UserError


def check_heads(key: str, heads: int, of: str, size: int) -> None:
    """Refuse heads among which vectors cannot be divided.

    Raises:
        UserError: names the keys of both numbers.
    """
    if size % heads:
        raise UserError(f"{key} is {heads}, which does not divide {of}, {size}; take a divisor of {size}.")


class Attention(nn.Module):
    """Written out, because torch's fused attention has no forward derivative, which the search for modes of p(z|x) needs.

    Args:
        size: of a vector that asks.
        of_others: of a vector that is attended to.
        heads: that divide `size`.
    """

    def __init__(self, size: int, of_others: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value = nn.Linear(size, size), nn.Linear(of_others, size), nn.Linear(of_others, size)
        self.out = nn.Linear(size, size)

    def forward(self, h: Tensor, others: Tensor) -> Tensor:
        """What each vector takes from the others.

        Args:
            h: vectors that ask, (b, n, size).
            others: attended to, (b, m, of_others).

        Returns:
            (b, n, size).
        """
        query, key, value = (
            layer(of).unflatten(2, (self.heads, -1)).transpose(1, 2)  # (b, heads, n or m, size / heads)
            for layer, of in ((self.query, h), (self.key, others), (self.value, others))
        )
        weights = (query @ key.transpose(2, 3) / sqrt(query.shape[3])).softmax(3)
        return self.out((weights @ value).transpose(1, 2).flatten(2))


class CrossAttention(nn.Module):
    """A map whose places attend to the vectors of a condition, added to the map.

    Args:
        width: channels of the map.
        condition: size of the condition.
        columns: vectors that the condition consists of.
        heads: that divide the width.
    """

    def __init__(self, width: int, condition: int, columns: int, heads: int) -> None:
        super().__init__()
        self.columns = columns
        self.norm = nn.LayerNorm(width)
        self.attention = Attention(width, condition // columns, heads)

    def forward(self, h: Tensor, condition: Tensor) -> Tensor:
        """(b, width, rows, columns of the map) and (b, condition), to the shape of the map."""
        places = self.norm(h.flatten(2).transpose(1, 2))
        found = self.attention(places, condition.unflatten(1, (self.columns, -1)))
        return h + found.transpose(1, 2).unflatten(2, h.shape[2:])
