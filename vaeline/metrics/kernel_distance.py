"""The kernel distance between two sets of features (Binkowski et al., 2018), unbiased however few images there are."""

from math import sqrt
from typing import NamedTuple

import numpy as np

BLOCK = 1000  # rows whose kernels with all others are held at a time


class KernelDistance(NamedTuple):
    """A squared maximum mean discrepancy, in units of the kernel."""

    distance: float  # below 0 by chance where the sets are alike
    standard_error: float  # over images of both sets, by the jackknife


def kernel_distance(first: np.ndarray, second: np.ndarray, partners: np.ndarray | None = None) -> KernelDistance:
    """Estimate the squared maximum mean discrepancy under the kernel (a'b / dimensions + 1)^3, without bias.

    Where an image of the first set is made from one of the second, as a reconstruction is, their kernel is left out of the
    mean between the sets (Gretton et al., 2012, eq. 4): it says that the two are alike, and nothing of the sets.

    The error leaves out one image after the other (Efron and Stein, 1981): the kernels with that image are taken from
    their sums, so that it costs no further product. Partners vary together.

    Args:
        first: features, (n, dimensions), n at least 3.
        second: features, (m, dimensions), m at least 3.
        partners: for each of the first set the row of the second that it is made from, or -1, (n,); a row stands there once.

    Raises:
        ValueError: a set has fewer than 3 images.
    """
    if min(len(first), len(second)) < 3:
        raise ValueError(f"a kernel distance needs at least 3 images of each kind, not {len(first)} and {len(second)}")
    first, second = np.asarray(first, np.float64), np.asarray(second, np.float64)
    within_first, within_second = _sums_within(first), _sums_within(second)  # (n,) and (m,)
    of_first, of_second = _sums_between(first, second)  # (n,) and (m,)
    n, m = len(first), len(second)
    pairs_of_first, pairs_of_second = np.full(n, m), np.full(m, n)
    [made] = np.nonzero(partners >= 0) if partners is not None else [np.zeros(0, np.int64)]
    sources = partners[made] if partners is not None else made
    own = ((first[made] * second[sources]).sum(1) / first.shape[1] + 1) ** 3
    of_first[made] -= own
    of_second[sources] -= own
    pairs_of_first[made] -= 1
    pairs_of_second[sources] -= 1

    def estimate(
        n: int, m: int, first_sum: np.ndarray, second_sum: np.ndarray, between: np.ndarray, pairs: np.ndarray
    ) -> np.ndarray:
        return first_sum / (n * (n - 1)) + second_sum / (m * (m - 1)) - 2 * between / pairs

    first_sum, second_sum, between, pairs = (
        within_first.sum(),
        within_second.sum(),
        of_first.sum(),
        pairs_of_first.sum(),
    )
    without_first = estimate(
        n - 1, m, first_sum - 2 * within_first, second_sum, between - of_first, pairs - pairs_of_first
    )
    without_second = estimate(
        n, m - 1, first_sum, second_sum - 2 * within_second, between - of_second, pairs - pairs_of_second
    )
    moved_first = (without_first - without_first.mean()) * sqrt((n - 1) / n)
    moved_second = (without_second - without_second.mean()) * sqrt((m - 1) / m)
    variance = (moved_first**2).sum() + (moved_second**2).sum() + 2 * (moved_first[made] * moved_second[sources]).sum()
    distance = estimate(n, m, first_sum, second_sum, between, pairs)
    return KernelDistance(float(distance), sqrt(max(float(variance), 0.0)))


def _kernel(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(a'b / dimensions + 1)^3 of all pairs, (n, m)."""
    return np.asarray((first @ second.T / first.shape[1] + 1) ** 3)


def _sums_within(features: np.ndarray) -> np.ndarray:
    """Of each member of a set the sum of its kernels with the others, (n,)."""
    blocks = (features[start : start + BLOCK] for start in range(0, len(features), BLOCK))
    sums = np.concatenate([_kernel(block, features).sum(1) for block in blocks])
    return np.asarray(sums - ((features**2).sum(1) / features.shape[1] + 1) ** 3)


def _sums_between(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each member of either set the sum of its kernels with the other set, (n,) and (m,)."""
    of_first, of_second = [], np.zeros(len(second))
    for start in range(0, len(first), BLOCK):
        kernels = _kernel(first[start : start + BLOCK], second)
        of_first.append(kernels.sum(1))
        of_second += kernels.sum(0)
    return np.concatenate(of_first), of_second
