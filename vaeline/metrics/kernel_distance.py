"""The kernel distance between two sets of features (Binkowski et al., 2018), unbiased however few images there are."""

import numpy as np


def kernel_distance(first: np.ndarray, second: np.ndarray) -> float:
    """The unbiased estimate of the squared maximum mean discrepancy, below 0 by chance where the sets are alike.

    Args:
        first: features, (n, dimensions), n at least 2.
        second: features, (m, dimensions), m at least 2.
    """
    first, second = np.asarray(first, np.float64), np.asarray(second, np.float64)
    return _within(first) + _within(second) - 2 * float(_kernel(first, second).mean())


def _kernel(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(a'b / dimensions + 1)^3 of all pairs, (n, m)."""
    return np.asarray((first @ second.T / first.shape[1] + 1) ** 3)


def _within(features: np.ndarray) -> float:
    """The mean kernel of two different members of a set."""
    kernel, count = _kernel(features, features), len(features)
    return float(kernel.sum() - np.trace(kernel)) / (count * (count - 1))
