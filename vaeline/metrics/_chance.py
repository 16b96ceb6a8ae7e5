"""Whether a classifier is better than chance: a permutation test of balanced accuracy (Ojala and Garriga, 2010).

If predictions said nothing of the labels, they would fit the labels of other images as well. So the predictions are dealt
anew to the images, many times; the p-value is the share of deals that fit at least as well (with the real one among them:
Phipson and Smyth, 2010). Dealing keeps how often each value occurs and how often it is predicted, so that rare values, or a
classifier that always gives the same answer, are no advantage. Several columns are dealt together, and a column is compared
with the largest standardised accuracy of all columns in each deal (Westfall and Young, 1993): the probability that any column
of a classifier that learned nothing passes is then at most the level of the test, also if columns depend on each other.
"""

from typing import NamedTuple

import numpy as np

from vaeline.metrics._counted import values_in

DEALS = 1999
TIE = 1e-9  # standardised accuracies that differ by less are equal


class Tested(NamedTuple):
    """One label column against chance."""

    balanced_accuracy: float
    chance: float  # the mean over all deals
    p: float  # adjusted for the number of columns


def against_chance(predicted: np.ndarray, labels: np.ndarray, seed: int, deals: int = DEALS) -> list[Tested | None]:
    """Test the predictions of every column.

    Args:
        predicted: values that a classifier saw, (images, columns).
        labels: the true values, the same shape; -1 for values that do not count.
        seed: of the deals.
        deals: how many.

    Returns:
        One result for each column; None for a column with fewer than two true values, which cannot be tested.
    """
    columns = labels.shape[1]
    varied = [column for column in range(columns) if len(values_in(labels[:, column])) > 1]
    if not varied:
        return [None] * columns
    predicted, labels = predicted[:, varied].astype(np.int32), labels[:, varied].astype(np.int32)
    weights = np.stack([_weights(column) for column in labels.T], 1)
    generator = np.random.default_rng(seed)
    accuracies = np.empty((1 + deals, len(varied)))
    accuracies[0] = _accuracy(predicted, labels, weights)
    for deal in range(1, 1 + deals):
        accuracies[deal] = _accuracy(predicted[generator.permutation(len(predicted))], labels, weights)
    spread = accuracies.std(0)
    standardised = (accuracies - accuracies.mean(0)) / np.where(spread > TIE, spread, np.inf)
    largest = standardised.max(1)
    found: list[Tested | None] = [None] * columns
    for place, column in enumerate(varied):
        p = float((largest >= standardised[0, place] - TIE).mean())
        found[column] = Tested(float(accuracies[0, place]), _chance(predicted[:, place], labels[:, place]), p)
    return found


def _weights(column: np.ndarray) -> np.ndarray:
    """What each right answer adds to the balanced accuracy, (images,)."""
    values, places, counts = np.unique(column, return_inverse=True, return_counts=True)
    return (1 / ((values >= 0).sum() * counts))[places]


def _accuracy(predicted: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The balanced accuracy of each column, (columns,)."""
    return np.einsum("ij,ij->j", predicted == labels, weights)


def _chance(predicted: np.ndarray, labels: np.ndarray) -> float:
    """The mean balanced accuracy over all deals."""
    return float(np.mean([(predicted == value).mean() for value in values_in(labels)]))
