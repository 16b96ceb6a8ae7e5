"""Labels: columns of categories with one row for each image, from folders of classes or tables of attributes."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from sys import intern

import numpy as np

from vaeline.system.errors import UserError

NO_YES = ["no", "yes"]
MOST_VALUES = 1000  # a column with more values is a measurement or a file name, not a category


@dataclass(frozen=True)
class Labels:
    """Label columns and the names of their values."""

    names: list[str]
    values: list[list[str]]  # of each column
    codes: np.ndarray  # int64, (n, columns), values 0..len(values)-1

    @property
    def factorial(self) -> bool:
        """Whether the columns are independent factors: every combination of their values is equally frequent."""
        if len(self.names) < 2:
            return False
        _, counts = np.unique(self.codes, axis=0, return_counts=True)
        return len(counts) == prod(map(len, self.values)) and len(set(counts.tolist())) == 1

    def choose(self, choice: str | list[str]) -> "Labels":
        """The columns that `dataset.labels` asks for: `all`, `most_frequent:<n>`, or a list of names, in its order.

        Raises:
            UserError: the choice is malformed, or asks for a column that does not exist or is not a category.
        """
        columns = [self.names.index(name) for name in self._chosen(choice)]
        for column in columns:
            if len(self.values[column]) > MOST_VALUES:
                raise UserError(
                    f"dataset.labels includes {self.names[column]!r}, which has {len(self.values[column]):,} different values; "
                    f"a label has at most {MOST_VALUES:,}, so list the wanted labels in dataset.labels."
                )
        return Labels([self.names[i] for i in columns], [self.values[i] for i in columns], self.codes[:, columns])

    def _chosen(self, choice: str | list[str]) -> list[str]:
        if choice == "all":
            return self.names
        if isinstance(choice, str):
            return self._most_frequent(choice)
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
                f"dataset.labels is {choice!r}; allowed are `all`, `most_frequent:<n>` with n from 1 to the number of yes-or-no "
                f"attributes, {len(attributes)}, or a list of: {', '.join(self.names)}."
            )
        frequency = self.codes[:, attributes].sum(0)
        kept = np.argsort(-frequency, kind="stable")[: int(number[1])]
        return [self.names[attributes[i]] for i in sorted(kept)]


def of_classes(name: str, classes: list[str], codes: np.ndarray) -> Labels:
    """Labels of one column, the class of each image.

    Args:
        name: of the column.
        classes: the names of the classes.
        codes: the index of each image's class, (n,).
    """
    return Labels([name], [classes], codes.astype(np.int64)[:, None])


@dataclass(frozen=True)
class Table:
    """A table of attributes as text: a file name for each image, and a value in each column."""

    ids: list[str]
    names: list[str]
    rows: list[list[str]]  # (n, columns)

    def labels(self) -> Labels:
        """Encode the columns: 0 and 1, or -1 and 1, become no and yes; other values are sorted by name."""
        encoded = [_encode(column) for column in zip(*self.rows, strict=True)]
        codes = np.stack([codes for _, codes in encoded], axis=1)
        return Labels(self.names, [values for values, _ in encoded], codes)


def _encode(column: tuple[str, ...]) -> tuple[list[str], np.ndarray]:
    words = sorted(set(column))
    binary = next((pair for pair in (["0", "1"], ["-1", "1"]) if set(words) <= set(pair)), None)
    code = {word: index for index, word in enumerate(binary or words)}
    codes = np.fromiter(map(code.__getitem__, column), np.int64, len(column))
    return NO_YES if binary else words, codes


def read_table(text: str, where: str, header: list[str] | None = None) -> Table:
    """Read a table whose first column names the image. It is CSV if its first line has a comma, otherwise divided by blanks.

    Args:
        text: the table; a first line with only a number, as in CelebA's tables, is skipped.
        where: the file's name, for errors.
        header: the names of the columns after the first, for a table divided by blanks that does not name them.

    Raises:
        UserError: there is no row, or a row has too few or too many values.
    """
    lines = [line for line in text.removeprefix("\ufeff").splitlines() if line.strip()] or [""]
    records: Iterator[list[str]]
    if "," in lines[0]:
        records = csv.reader(lines, skipinitialspace=True)
        names = next(records)[1:]
    else:
        records = (line.split() for line in lines[len(lines[0].split()) == 1 :])
        names = header or next(records, [])
    table = Table([], names, [])
    for name, *values in records:
        if len(values) != len(names):
            raise UserError(
                f"{where}: the row of {name!r} has {len(values)} values for {len(names)} columns; correct it."
            )
        table.ids.append(name)
        table.rows.append([intern(value) for value in values])  # one object for each of millions of equal words
    if not table.rows:
        raise UserError(f"{where} holds no table of images: a header and a row of values for each image are needed.")
    return table
