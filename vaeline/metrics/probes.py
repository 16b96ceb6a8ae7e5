"""What codes tell of the labels: the accuracy of simple classifiers that see nothing else (Alain and Bengio, 2017)."""

from collections.abc import Sequence

import numpy as np

from vaeline.metrics.condition_accuracy import balanced_accuracy

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
    """Fit a classifier to the codes of one split and judge it on those of another, label by label.

    Each dimension of the codes is shifted and scaled by the mean and deviation of the training split first.

    Args:
        kind: `linear`, logistic regression with scikit-learn's usual penalty, or `neighbours`, the vote of the 5 nearest.
        train: codes, (images, dimensions).
        train_labels: int (images, columns).
        test: codes, (images, dimensions).
        test_labels: int (images, columns).
        names: of the columns.

    Returns:
        Balanced accuracy by name, 0 to 1, for the columns of which both splits hold two values or more.
    """
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(train)
    train, test = scaler.transform(train), scaler.transform(test)
    found = {}
    for name, known, asked in zip(names, train_labels.T, test_labels.T, strict=True):
        if min(len(np.unique(known)), len(np.unique(asked))) > 1:
            found[name] = balanced_accuracy(_classifier(kind).fit(train, known).predict(test), asked)
    return found


def _classifier(kind: str):  # type: ignore[no-untyped-def]  # scikit-learn has no types
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier

    return {
        "linear": LogisticRegression(class_weight="balanced", max_iter=MOST_STEPS),
        "neighbours": KNeighborsClassifier(NEIGHBOURS),
    }[kind]
