"""The contract of feature spaces, in which images are compared."""

from typing import Literal, Protocol

from torch import Tensor


class Features(Protocol):
    """A space in which images are compared."""

    prefix: Literal["fd", "fid"]  # of Frechet distances in it
    description: str
    weights_sha256: str  # of the file that its network came from

    def __call__(self, images: Tensor) -> Tensor: ...  # uint8 (n, channel, height, width) -> (n, dimensions)
