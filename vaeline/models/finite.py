"""What is left of tensors in which numbers have overflowed."""

from torch import Tensor


def count_nonfinite(z: Tensor) -> int:
    """How many rows of z, (n, ...), hold an infinity or a NaN."""
    return int((~z.isfinite()).flatten(1).any(1).sum())
