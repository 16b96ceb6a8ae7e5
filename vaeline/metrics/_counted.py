"""The label values that count. -1 stands for a value that does not, because too few images have it."""

import numpy as np


def values_in(labels: np.ndarray) -> np.ndarray:
    """The different values of labels, (images,), that count."""
    return np.unique(labels[labels >= 0])
