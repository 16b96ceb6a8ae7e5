"""Images that are not in memory together: rows are read, or drawn, when they are asked for."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from math import prod
from typing import Any, Protocol, Self

import numpy as np

BATCH = 500  # images that are made at once


class OnDemand(ABC):
    """The images of a split, by indices as in NumPy. Any thread may ask.

    Attributes:
        shape: (n, channel, height, width); points: (n, dimensions).
        dtype: as `Facts.dtype`.
        worth_keeping: whether images in memory are read faster than they are made.
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    worth_keeping = True

    @abstractmethod
    def take(self, rows: np.ndarray) -> np.ndarray:
        """The images of some rows, (n,), in memory."""

    @abstractmethod
    def select(self, rows: np.ndarray) -> Self:
        """Some of the images, (n,) rows, still on demand."""

    def check(self) -> None:  # noqa: B027 (images that are made of what is checked need nothing)
        """Check all that was not yet read of what the images are made of.

        Raises:
            UserError: it is damaged.
        """

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def nbytes(self) -> int:
        """Bytes that the images would take in memory."""
        return prod(self.shape) * self.dtype.itemsize

    def __getitem__(self, index: Any) -> np.ndarray:
        """Some images, by any index of the first axis."""
        rows = np.arange(len(self))[index]
        found: np.ndarray = self.take(rows) if np.ndim(rows) else self.take(rows[None])[0]
        return found

    def __array__(self, dtype: np.dtype | None = None, copy: bool | None = None) -> np.ndarray:
        """All images in memory.

        Raises:
            ValueError: they are asked for without a copy.
        """
        if copy is False:
            raise ValueError("images that are not in memory cannot become an array without a copy; pass copy=None")
        return self.whole().astype(dtype or self.dtype, copy=False)

    def whole(self) -> np.ndarray:
        """All images in memory."""
        return self[:]


Images = np.ndarray | OnDemand  # of a split, (n, channel, height, width); points: (n, dimensions)


class Indexed(Protocol):
    """Images that can be asked for by their rows, wherever they are."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: Any, /) -> np.ndarray: ...


def blocks(images: Indexed, rows: np.ndarray | None = None) -> Iterator[np.ndarray]:
    """Images, a batch at a time, in order or by rows, (n,)."""
    for start in range(0, len(images if rows is None else rows), BATCH):
        some = slice(start, start + BATCH)
        yield images[some if rows is None else rows[some]]
