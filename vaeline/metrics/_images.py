"""What metrics of images take and return.

A file with a metric of images has a function `measure(images, real)`. It is called for every subject that the file's entries and
their references name, and for halves of these images, and returns a number, `Measured` or `Dash` for each key. A ValueError dashes
all of them. It may also have a function `measure_parts(images, real, parts)`, which returns what `measure` would return of each part, but
needs no standard errors: it computes once what the parts share. Without it, `measure` is called for each part.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from vaeline.metrics._entry import Space
from vaeline.metrics._moments import Moments

MOST_ROWS = 5000  # images of a set that are compared pair by pair
MOST_NUMBERS = 2**22  # in the features of more training images than MOST_ROWS: 16 MB


@dataclass(frozen=True)
class ImageSet:
    """Drawn or real images, and their features.

    Rows of `features`, `labels` and `test_index` are at most MOST_ROWS images, spread evenly over the set.
    """

    blocks: Callable[[], Iterable[np.ndarray]]  # the images block by block, uint8, (any, channel, height, width)
    moments: Moments  # of the features of all images
    features: np.ndarray  # float32, (rows, dimensions)
    labels: np.ndarray  # the labels of the images, or those they were asked to show, int64, (rows, columns)
    test_index: np.ndarray  # the test image that each is, was made from, or has its labels from; -1 for none, (rows,)
    space: Space = "fd"
    levels: int = 256  # a pixel is from 0 to levels - 1
    label_values: Mapping[str, list[str]] = field(default_factory=dict)  # name of each label column -> its values
    # Of the test images only: the features of training images, float32, (any, dimensions), spread evenly over the split.
    train: np.ndarray | None = None
    # Of some of the images of a set: the set, and which of its rows these are, (rows,).
    whole: "tuple[ImageSet, np.ndarray] | None" = None
    _known: dict[str, tuple[object, np.ndarray]] = field(init=False, default_factory=dict, repr=False, compare=False)

    def of_each(
        self, name: str, beside: object, compute: Callable[[np.ndarray], np.ndarray], chosen: np.ndarray
    ) -> np.ndarray:
        """A value of each of some rows, which depends on the row and on what is `beside` it, as the training images.

        A value is computed once for a set and for all parts of it, such as halves.

        Args:
            name: of the value.
            beside: what else decides it; another object means other values.
            compute: gives the values, float64, (n,), of n rows of `features`.
            chosen: rows, (n,).

        Returns:
            Float64, (n,).
        """
        if self.whole is not None:
            of, rows = self.whole
            return of.of_each(name, beside, compute, rows[chosen])
        before, values = self._known.get(name, (None, np.zeros(0)))
        if before is not beside:
            values = np.full(len(self.features), np.nan)
            self._known[name] = beside, values
        missing = np.unique(chosen[np.isnan(values[chosen])])
        if len(missing):
            values[missing] = compute(self.features[missing])
        return values[chosen]


class Measured(NamedTuple):
    """A value with its standard error, and how it was made."""

    value: float
    how: Mapping[str, object] = {}
    standard_error: float | None = None


class Dash(NamedTuple):
    """Why a metric has no meaning here."""

    reason: str


Results = Mapping[str, float | Measured | Dash]


# Parts of drawn images, each with a part of the test images: which rows of their features are in it, bool, (rows,).
Parts = Sequence[tuple[np.ndarray, np.ndarray]]


class ImageMetric(NamedTuple):
    """The functions of a file with a metric of images."""

    measure: Callable[[ImageSet, ImageSet], Results]
    measure_parts: Callable[[ImageSet, ImageSet, Parts], Sequence[Results]] | None = None


def refuse_identical(real: ImageSet) -> None:
    """Refuse a feature space that cannot tell the test images apart.

    Raises:
        ValueError: all features are the same.
    """
    if (real.features == real.features[0]).all():
        raise ValueError("the features of all test images are the same")
