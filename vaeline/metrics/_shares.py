"""How a mean of shares, such as a balanced accuracy, would change with other images, from random halves of them (McCarthy, 1969)."""

import numpy as np

from vaeline.metrics._counted import values_in


def deviations(met: np.ndarray, groups: np.ndarray, halves: np.ndarray) -> np.ndarray:
    """Half the difference of the mean over groups of the share that met a request, on two halves of the images, to first order.

    Each share is taken of half the images of its group, however many of them a half has. So it is also known of a group that
    one of the halves lacks. Over random halves the mean square is the sum of p (1 - p) / n over groups, divided by their number squared.

    Args:
        met: whether each image met its request, bool, (images,).
        groups: the value that was requested, (images,); -1 for images that do not count.
        halves: whether each image is in the first half, bool, (pairs, images).

    Returns:
        Float64, (pairs,).
    """
    away, values = np.zeros(len(met)), values_in(groups)
    for value in values:
        of = groups == value
        away[of] = (met[of] - met[of].mean()) / of.sum() / len(values)
    return np.asarray(np.where(halves, 1.0, -1.0) @ away)
