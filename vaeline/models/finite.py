"""Counts of non-finite rows."""

from torch import Tensor


def count_nonfinite(z: Tensor) -> int:
    """Count the rows of z, (n, ...), that contain an infinity or a NaN."""
    return int((~z.isfinite()).flatten(1).any(1).sum())
