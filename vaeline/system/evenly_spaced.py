"""Rows spread evenly over a split or a sample; without torch, for what draws plots."""

import numpy as np


def evenly_spaced(available: int, count: int | None) -> np.ndarray:
    """Rows spread evenly over a split: `count` of them, or all if there are no more."""
    if count is None or count >= available:
        return np.arange(available)
    return np.linspace(0, available - 1, count).round().astype(np.int64)
