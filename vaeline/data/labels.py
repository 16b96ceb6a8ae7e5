"""Labels: columns of categories, an image a row, out of class folders or tables of attributes."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from sys import intern

import numpy as np

from vaeline.system.errors import UserError

NO_YES = ["no", "yes"]
MOST_VALUES = 1000  # a column with more is a measurement or a file name, not a category


@dataclass(frozen=True)
class Labels:
    """Label columns and the names of their values."""

    names: list[str]
    values: list[list[str]]  # of each column
    codes: np.ndarray  # int64, (n, columns), values 0..len(values)-1

    @property
    def factorial(self) -> bool:
        """Whether there are several columns and every combination of their values stands as often: independent factors."""
        if len(self.names) < 2:
            return False
        _, counts = np.unique(self.codes, axis=0, return_counts=True)
        return len(counts) == prod(map(len, self.values)) and len(set(counts.tolist())) == 1

    def choose(self, choice: str | list[str]) -> "Labels":
        """The columns that `dataset.labels` asks for: `all`, `most_frequent:<n>`, or names; a list keeps its order.

        Raises:
            UserError: the choice is malformed, asks for a column that is not there, or for one that is no category.
        """
        columns = [self.names.index(name) for name in self._chosen(choice)]
        for column in columns:
            if len(self.values[column]) > MOST_VALUES:
                raise UserError(
                    f"dataset.labels takes in {self.names[column]!r}, which has {len(self.values[column]):,} different values; "
                    f"a label has at most {MOST_VALUES:,}, so list those wanted in dataset.labels."
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
        """The n attributes most often true, in the order of the table; of equally frequent ones the earlier."""
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
    """One column: the class of each image.

    Args:
        name: of the column.
        classes: the names of the classes.
        codes: index of each image's class, (n,).
    """
    return Labels([name], [classes], codes.astype(np.int64)[:, None])


@dataclass(frozen=True)
class Table:
    """A table of attributes: a file name and a value in each column for every image, all as text."""

    ids: list[str]
    names: list[str]
    rows: list[list[str]]  # (n, columns)

    def labels(self) -> Labels:
        """Encode the columns: 0 and 1, or -1 and 1, as no and yes; other values by their sorted names."""
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
    """Read a table whose first column names the image: CSV where its first line has a comma, else divided by blanks.

    Args:
        text: the table; a first line with a number alone, as CelebA's, is left out.
        where: the file's name, for errors.
        header: the columns after the first of a table divided by blanks, where it does not name them itself.

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
            raise UserError(f"{where}: the row of {name!r} has {len(values)} values for {len(names)} columns; mend it.")
        table.ids.append(name)
        table.rows.append([intern(value) for value in values])  # millions of equal words: one object each
    if not table.rows:
        raise UserError(f"{where} holds no table of images: a header and a row of values for each image are needed.")
    return table
