"""Labels: columns of categories with one row for each image, from folders of classes or tables of attributes."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import prod

import numpy as np

from vaeline.data.columns import MOST_VALUES, NO_YES, Column
from vaeline.system.errors import UserError

NONE = "none"  # the choice of no label


@dataclass(frozen=True)
class Labels:
    """Label columns and the names of their values."""

    names: list[str]
    values: list[list[str]]  # of each column
    codes: np.ndarray  # int64, (n, columns), values 0..len(values)-1
    # Other columns by name, with the reason why they are no labels.
    refused: dict[str, str] = field(default_factory=dict)

    @property
    def factorial(self) -> bool:
        """Whether the columns are independent factors: every combination of their values is equally frequent."""
        combinations = prod(map(len, self.values))
        if len(self.names) < 2 or combinations > len(self.codes) or (self.codes < 0).any():
            return False
        counts = np.bincount(np.ravel_multi_index(tuple(self.codes.T), [len(each) for each in self.values]))
        return len(counts) == combinations and len(set(counts.tolist())) == 1

    def choose(self, choice: str | list[str]) -> "Labels":
        """The columns that `dataset.labels` asks for: `all`, `none`, `most_frequent:<n>`, or a list of names, in its order.

        Raises:
            UserError: the choice is malformed, or asks for a column that does not exist or is not a category.
        """
        if choice == NONE or (choice == "all" and not self.names and not self.refused):
            return unlabelled(len(self.codes))
        columns = [self.names.index(name) for name in self._chosen(choice)]
        for column in columns:
            if len(self.values[column]) > MOST_VALUES:
                raise UserError(
                    f"dataset.labels includes {self.names[column]!r}, which has {len(self.values[column]):,} different values; "
                    f"a label has at most {MOST_VALUES:,}."
                )
        return Labels([self.names[i] for i in columns], [self.values[i] for i in columns], self.codes[:, columns])

    def _chosen(self, choice: str | list[str]) -> list[str]:
        if not self.names:
            why = "".join(f" {name}: {reason}" for name, reason in self.refused.items())
            raise UserError(f"The images have no label; set dataset.labels to none to use them without labels.{why}")
        if choice == "all":
            return self.names
        if isinstance(choice, str):
            return self._most_frequent(choice)
        for name in choice:
            if name in self.refused:
                raise UserError(f"dataset.labels names {name!r}, which is no label: {self.refused[name]}")
        unknown = [name for name in choice if name not in self.names]
        if unknown or not choice or len(set(choice)) < len(choice):
            came = f"names an unknown {unknown[0]!r}" if unknown else "is empty or names a label twice"
            raise UserError(f"dataset.labels {came}; there are: {', '.join(self.names)}.")
        return choice

    def _most_frequent(self, choice: str) -> list[str]:
        """The n attributes that are most often true, in the order of the table. Of equally frequent ones, the earlier is chosen."""
        attributes = [column for column, values in enumerate(self.values) if values == NO_YES]
        number = re.fullmatch(r"most_frequent:([1-9]\d*)", choice)
        if not number or int(number[1]) > len(attributes):
            raise UserError(
                f"dataset.labels is {choice!r}; allowed are `all`, `none`, `most_frequent:<n>` with n from 1 to the number of yes-or-no "
                f"attributes, {len(attributes)}, or a list of: {', '.join(self.names)}."
            )
        frequency = (self.codes[:, attributes] == 1).sum(0)
        kept = np.argsort(-frequency, kind="stable")[: int(number[1])]
        return [self.names[attributes[i]] for i in sorted(kept)]


def unlabelled(count: int) -> Labels:
    """No labels, of `count` images."""
    return Labels([], [], np.empty((count, 0), np.int64))


def of_classes(name: str, classes: list[str], codes: np.ndarray) -> Labels:
    """Labels of one column, the class of each image.

    Args:
        name: of the column.
        classes: the names of the classes.
        codes: the index of each image's class, (n,).
    """
    return Labels([name], [classes], codes.astype(np.int64)[:, None])


def of_columns(columns: Iterable[Column]) -> Labels:
    """Labels out of the columns of a table; the code of a missing value is -1."""
    columns = list(columns)
    kept = [column for column in columns if not column.reason]
    codes = np.stack([column.codes for column in kept], axis=1) if kept else np.empty((0, 0), np.int64)
    refused = {column.name: column.reason for column in columns if column.reason}
    return Labels([column.name for column in kept], [column.values for column in kept], codes, refused)
