"""The training image nearest to each of some samples: a look at whether a model copies what it was trained on."""

import numpy as np

from vaeline.data.on_demand import Images, blocks
from vaeline.system.evenly_spaced import evenly_spaced

MOST_BYTES = 2**30  # of training images that are compared; of more, images that lie evenly among them


def compared(train: Images) -> np.ndarray:
    """The rows of the training images that samples are compared with: all, unless they are very many."""
    each = int(np.prod(train.shape[1:]))
    return evenly_spaced(len(train), max(1, MOST_BYTES // each))


def nearest(samples: np.ndarray, train: Images) -> np.ndarray:
    """The nearest training image of each sample, by the sum of squared differences of levels; the first of equals.

    Args:
        samples: uint8, (n, channel, height, width).
        train: uint8, (m, channel, height, width).

    Returns:
        uint8, (n, channel, height, width).
    """
    drawn = samples.reshape(len(samples), -1).astype(np.float32)
    rows, start = compared(train), 0
    least, found = np.full(len(drawn), np.inf, np.float32), np.zeros(len(drawn), np.int64)
    for block in blocks(train, rows):
        images = block.reshape(len(block), -1).astype(np.float32)
        # The sample's own square is the same for all images.
        distances = np.einsum("ij,ij->i", images, images)[:, None] - 2 * images @ drawn.T
        best = distances.argmin(0)
        closest = distances[best, np.arange(len(drawn))]
        found = np.where(closest < least, rows[start + best], found)
        least, start = np.minimum(least, closest), start + len(block)
    return train[found]
