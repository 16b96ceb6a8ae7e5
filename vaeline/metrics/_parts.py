"""Means over parts of the images, which tell how much a mean would change with other images."""

import numpy as np

PARTS = 32


def part_means(values: np.ndarray) -> list[float]:
    """Means of up to 32 parts of the images, dealt in turn, so that each part has images of the whole split.

    Args:
        values: of the images, in the order of the split, (images,).
    """
    parts = min(PARTS, len(values))
    return [float(values[start::parts].mean()) for start in range(parts)]
