"""How far a classifier's confidence is from its accuracy (Guo et al., 2017, eq. 3)."""

import numpy as np

BINS = 15


def calibration_error(probability: np.ndarray, labels: np.ndarray, bins: int = BINS) -> float:
    """Mean gap between confidence and accuracy over bins of equal width, weighted by the images in each: 0 to 1.

    Args:
        probability: of each value, (images, values); rows sum to 1.
        labels: the true values, int (images,).
        bins: of the confidence, the probability of the likeliest value.
    """
    confidence, right = probability.max(1), probability.argmax(1) == labels
    bin_of = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    gaps = np.bincount(bin_of, right - confidence, minlength=bins)  # of each bin, times its images
    return float(np.abs(gaps).sum() / len(labels))
