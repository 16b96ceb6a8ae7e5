"""Facts about the images of a store: shape, levels, labels, counts and checksums."""

import re
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vaeline.system.errors import UserError, shown, some_of

SHOWN = 30  # values of a label in an error
MOST_NAMED = 8  # values that a warning names
FEWEST = 5  # training images of a value that can be learned
MOST_SWAY = 0.1  # of a mean over the values of a label, by one image


class RareLabels(UserWarning):
    """Labels have values that too few training images have for a classifier to learn them."""


class UnseenLabels(UserWarning):
    """Labels have values that no training image has, so that models have learned nothing about them."""


@dataclass(frozen=True)
class Facts:
    """Facts about the images of a store."""

    dataset_id: str
    image_shape: tuple[int, ...]  # channel, height, width; or the dimensions of a point
    levels: int  # a pixel is 0..levels-1; 0 for points
    range: tuple[float, float]  # the values of black and white inside the networks
    label_names: list[str]  # one for each column
    label_values: list[list[str]]  # the names of each column's values
    pixels: str = "dequantized"  # how levels become x: a value of dataset.pixels, or `points`
    factors: bool = False  # whether the label columns are factors that vary independently over all images
    counts: dict[str, int] = field(default_factory=dict)  # images in each split; `store.write` fills it in
    # Where the images came from, and how they were preprocessed.
    preprocessing: dict[str, Any] = field(default_factory=dict)
    checksums: dict[str, str] = field(default_factory=dict)  # SHA-256 of each split; `store.write` fills it in
    # How many training images have each value of each column; `store.write` fills it in. Empty: unknown.
    training_counts: list[list[int]] = field(default_factory=list)
    # Combinations of label values that no training image has: name of a column -> name of its value.
    held_out: list[dict[str, str]] = field(default_factory=list)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "Facts":
        """Facts read from JSON or YAML, which have lists in place of tuples."""
        return cls(**{**content, "image_shape": tuple(content["image_shape"]), "range": tuple(content["range"])})

    @property
    def label_cardinalities(self) -> list[int]:
        """The number of values of each label column."""
        return [len(values) for values in self.label_values]

    @property
    def values_of_labels(self) -> dict[str, list[str]]:
        """The names of each label's values, by the name of the label."""
        return dict(zip(self.label_names, self.label_values, strict=True))

    @property
    def classes(self) -> bool:
        """Whether the labels are classes, in a single column; otherwise the columns are attributes."""
        return len(self.label_names) == 1

    @property
    def held_out_codes(self) -> dict[str, dict[int, int]]:
        """The held-out combinations as column -> value, by their names, as in `Male=yes and Young=no`.

        Raises:
            UserError: a label or a value does not exist.
        """
        return {
            " and ".join(f"{name}={value}" for name, value in each.items()): dict(
                self.label(name, value) for name, value in each.items()
            )
            for each in self.held_out
        }

    def checksums_of(self, splits: Iterable[str]) -> dict[str, str]:
        """The SHA-256 of some splits, by their names; empty for those whose checksum is unknown."""
        return {split: self.checksums.get(split, "") for split in splits}

    def column(self, name: str) -> int:
        """The column of a label.

        Raises:
            UserError: the label does not exist.
        """
        if not isinstance(name, str) or name not in self.label_names:
            raise UserError(f"There is no label {shown(name)}; there are: {', '.join(self.label_names) or 'none'}.")
        return self.label_names.index(name)

    def label(self, name: str, value: str | int) -> tuple[int, int]:
        """The column of a label, and the index of a value in it. The value is given by its name, as in Smiling=yes.

        A number is also understood as a place, as in Smiling=1, unless a value of the column contains a digit: among classes
        that are called 1 to 5, 0 names none.

        Raises:
            UserError: the label does not exist, or does not have the value.
        """
        column = self.column(name)
        values, asked = self.label_values[column], str(value)
        if asked in values:
            return column, values.index(asked)
        places = {} if any(re.search(r"\d", each) for each in values) else {str(i): i for i in range(len(values))}
        if asked in places:
            return column, places[asked]
        also = f" A place from 0 to {len(values) - 1} is understood too." if places else ""
        raise UserError(f"{name} has no value {shown(asked)}; it has: {some_of(values, SHOWN)}.{also}")

    def missing_values(self, labels: np.ndarray) -> list[str]:
        """The values that do not occur in labels, (n, columns), as `name=value`; `name` alone if fewer than two values occur."""
        found = []
        for name, values, column in zip(self.label_names, self.label_values, labels.T, strict=True):
            there = np.unique(column[column >= 0])
            absent = [f"{name}={value}" for index, value in enumerate(values) if index not in there]
            found += absent if len(there) > 1 else [name]
        return found

    def learnable(self, labels: np.ndarray) -> np.ndarray:
        """Labels, (n, columns), with -1 in place of values that too few training images have; all if the counts are unknown."""
        labels = labels.copy()
        for column, codes in enumerate(self._codes_below(FEWEST)):
            labels[np.isin(labels[:, column], codes), column] = -1
        return labels

    def judged(self, labels: np.ndarray) -> np.ndarray:
        """Labels, (n, columns), with -1 in place of values that a mean over values leaves out.

        These are values that cannot be learned, and values of so few rows that one row would decide the mean.
        """
        judged = [_frequent(column) for column in self.learnable(labels).T]
        return np.stack(judged, 1) if judged else labels

    def warn_of_rare(self) -> None:
        """Warn if too few training images have a value.

        Warns:
            RareLabels: names the values, with their numbers.
        """
        named = [
            f"{self.label_names[column]}={self.label_values[column][code]} ({self.training_counts[column][code]})"
            for column, codes in enumerate(self._codes_below(FEWEST))
            for code in codes
        ]
        if named:
            warnings.warn(
                f"Fewer than {FEWEST} training images have {some_of(named, MOST_NAMED)}. The classifier never predicts these values, and metrics "
                "of labels leave them out; add images, merge the values with others, or drop their images.",
                RareLabels,
                stacklevel=2,
            )

    def unseen(self, labels: np.ndarray) -> dict[str, int]:
        """How many rows of labels, (n, columns), have a value that no training image has: `digit=7` -> rows."""
        found: dict[str, int] = {}
        for column, codes in enumerate(self._unseen_codes()):
            counts = np.bincount(labels[:, column], minlength=self.label_cardinalities[column])
            names = {code: f"{self.label_names[column]}={self.label_values[column][code]}" for code in codes}
            found |= {names[code]: int(counts[code]) for code in codes if counts[code]}
        return found

    def unseen_in_words(self, labels: np.ndarray, what: str) -> str:
        """How many labels, (n, columns), have values that no training image has, as a sentence; empty if none has.

        Args:
            labels: of images, or those that images are asked to show.
            what: has the labels, as in "test images".
        """
        by_value = self.unseen(labels)
        if not by_value:
            return ""
        rows = np.any([np.isin(labels[:, column], codes) for column, codes in enumerate(self._unseen_codes())], axis=0)
        named = [f"{value} ({count:,})" for value, count in by_value.items()]
        return (
            f"{rows.sum():,} of {len(labels):,} {what} have a label that no training image has: "
            f"{some_of(named, MOST_NAMED)}; a model has learned nothing about it"
        )

    def warn_of_unseen(self, labels: np.ndarray, what: str) -> None:
        """Warn if some labels have values that no training image has; arguments as in `unseen_in_words`.

        Warns:
            UnseenLabels: names the values, with their numbers.
        """
        if words := self.unseen_in_words(labels, what):
            warnings.warn(f"{words}.", UnseenLabels, stacklevel=3)

    def _unseen_codes(self) -> list[list[int]]:
        """The values of each column that no training image has; none if the counts are unknown."""
        return self._codes_below(1)

    def _codes_below(self, fewest: int) -> list[list[int]]:
        """The values of each column that fewer training images have; none if the counts are unknown."""
        return [[code for code, count in enumerate(counts) if count < fewest] for counts in self.training_counts]

    @property
    def points(self) -> bool:
        """Whether the data are points rather than images."""
        return not self.levels

    @property
    def dtype(self) -> type[np.generic]:
        """The type of the stored values."""
        return np.float32 if self.points else np.uint8


def _frequent(column: np.ndarray) -> np.ndarray:
    """Values, (n,), with -1 in place of the rarest ones, until one row moves a mean over the others by MOST_SWAY at most."""
    values, counts = np.unique(column[column >= 0], return_counts=True)
    while len(values) and 1 / (counts.min() * len(values)) > MOST_SWAY:
        values, counts = values[counts > counts.min()], counts[counts > counts.min()]
    return np.where(np.isin(column, values), column, -1)
