"""How well images show the labels that were asked for: balanced accuracy (Brodersen et al., 2010) as a classifier sees it."""

import warnings
from collections.abc import Sequence

import numpy as np

from vaeline.metrics._counted import values_in
from vaeline.metrics._entry import Metric, Reference

METRICS = [
    Metric(
        "condition_accuracy",
        group="Conditions",
        meaning="requested labels that the classifier recognises in samples",
        definition="Balanced accuracy with which the classifier recognises the requested labels in samples.",
        better="higher",
        references=(
            Reference(
                "condition_accuracy_ceiling",
                "Balanced accuracy of the classifier on real test images.",
                past="better than real images",
            ),
            Reference(
                "condition_accuracy_floor",
                "Balanced accuracy of the classifier if labels are assigned to other images, mean over all assignments.",
            ),
            Reference(
                "classifier_accuracy",
                "Share of the labels of real test images that the classifier, set to balanced odds, gets right.",
            ),
            Reference(
                "classifier_calibration_error",
                "Mean gap between confidence and accuracy of the classifier as trained, before its odds are balanced, on real "
                "test images, over 15 bins of confidence.",
            ),
        ),
        data=("images",),
        needs_labels=True,
    )
]


class AbsentLabel(UserWarning):
    """A label has the same value for every image; there is nothing to tell apart."""


def condition_accuracy(predicted: np.ndarray, requested: np.ndarray, names: Sequence[str]) -> dict[str, float]:
    """Balanced accuracy of each label column, 0 to 1; an answer that ignores the request scores 1 / values.

    Args:
        predicted: values seen by the classifier, (images, columns).
        requested: values asked for, the same shape; -1 for values that do not count.
        names: of the columns.

    Returns:
        Accuracy by name, for the columns of which at least two values were requested.

    Warns:
        AbsentLabel: names the columns left out.
    """
    varied = _varied(requested)
    if absent := [name for column, name in enumerate(names) if column not in varied]:
        warnings.warn(
            f"Left out of condition_accuracy, because fewer than two values have enough images: {', '.join(absent)}.",
            AbsentLabel,
            stacklevel=2,
        )
    return {names[column]: balanced_accuracy(predicted[:, column], requested[:, column]) for column in varied}


def chance(predicted: np.ndarray, requested: np.ndarray, names: Sequence[str]) -> dict[str, float]:
    """The mean accuracy over all assignments of the requests to other images: the floor."""
    return {
        names[column]: float(
            np.mean([(predicted[counted, column] == value).mean() for value in values_in(requested[:, column])])
        )
        for column in _varied(requested)
        for counted in [requested[:, column] >= 0]
    }


def balanced_accuracy(predicted: np.ndarray, requested: np.ndarray) -> float:
    """Mean over the requested values of the share that was met, (images,) each; -1 is no request."""
    return float(np.mean([(predicted[requested == value] == value).mean() for value in values_in(requested)]))


def _varied(requested: np.ndarray) -> list[int]:
    """The columns of which at least two values were requested."""
    return [column for column in range(requested.shape[1]) if len(values_in(requested[:, column])) > 1]
