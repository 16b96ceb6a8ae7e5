"""Probes: the accuracy of simple classifiers that predict labels from latents (Alain and Bengio, 2017)."""

from collections.abc import Callable, Sequence

import numpy as np

from vaeline.metrics._counted import values_in
from vaeline.metrics._entry import Metric
from vaeline.metrics.condition_accuracy import balanced_accuracy

METRICS = [
    Metric(
        f"probe_{kind}",
        group="Representation",
        meaning=f"labels predicted from latents by {few_words}",
        definition=f"Balanced accuracy of {classifier} in telling the label from the code without its noise.",
        better="higher",
    )
    for kind, few_words, classifier in (
        ("linear", "a linear classifier", "a logistic regression"),
        ("neighbours", "the nearest ones", "the vote of the 5 nearest codes"),
    )
]

NEIGHBOURS = 5
MOST_IMAGES = 10_000  # of either split: with more, accuracies hardly move and times grow
MOST_STEPS = 1000  # of the linear probe's solver


def probe(
    kind: str,
    train: np.ndarray,
    train_labels: np.ndarray,
    test: np.ndarray,
    test_labels: np.ndarray,
    names: Sequence[str],
) -> dict[str, float]:
    """Fit a classifier to the codes of one split and measure it on those of another, label by label.

    Both weigh the values of a label as if each were as frequent, which is what their balanced accuracy asks of them.

    Args:
        kind: `linear`, logistic regression on dimensions scaled to deviation 1, with scikit-learn's usual penalty; or
            `neighbours`, the vote of the 5 nearest without scaling: uninformative dimensions have a small variance, and
            scaling would let them dominate the distance.
        train: codes, (images, dimensions).
        train_labels: int (images, columns); -1 for values that do not count.
        test: codes, (images, dimensions).
        test_labels: the same.
        names: of the columns.

    Returns:
        Balanced accuracy by name, 0 to 1, for the columns that have two values or more in both splits.
    """
    predict = {"linear": _linear, "neighbours": _neighbours}[kind](train, test)
    return {
        name: balanced_accuracy(predict(known), asked)
        for name, known, asked in zip(names, train_labels.T, test_labels.T, strict=True)
        if min(len(values_in(known)), len(values_in(asked))) > 1
    }


def _linear(train: np.ndarray, test: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Labels of the training codes -> labels seen in the test codes."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(train)
    known, asked = scaler.transform(train), scaler.transform(test)

    def predict(labels: np.ndarray) -> np.ndarray:
        fitted = LogisticRegression(class_weight="balanced", max_iter=MOST_STEPS)
        predicted: np.ndarray = fitted.fit(known[labels >= 0], labels[labels >= 0]).predict(asked)
        return predicted

    return predict


def _neighbours(train: np.ndarray, test: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Predict by the nearest neighbours, which are found once for all label columns."""
    from sklearn.neighbors import NearestNeighbors

    nearest = (
        NearestNeighbors(n_neighbors=min(NEIGHBOURS, len(train))).fit(train).kneighbors(test, return_distance=False)
    )

    def predict(labels: np.ndarray) -> np.ndarray:
        values, counts = np.unique(labels[labels >= 0], return_counts=True)
        votes = (labels[nearest][..., None] == values).sum(1)  # (test images, values)
        return values[(votes / counts).argmax(1)]

    return predict
