"""What a column of a table is taken for: yes or no, categories, or numbers."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import groupby, pairwise
from typing import TypeVar

import numpy as np

from vaeline.system.errors import UserError

NO_YES = ["no", "yes"]
MISSING = "missing"  # the value of an empty cell if `dataset.missing` is `category`
# What an empty cell is written as: the words that pandas reads as missing, and a few more.
MISSING_WORDS = frozenset([
    "", "?", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA", "NULL",
    "NaN", "NAN", "None", "n/a", "nan", "null", "NaT", "#NUM!", "#VALUE!", "#DIV/0!", "#REF!",
])  # fmt: skip
SPELLINGS = [
    ({"no", "n"}, {"yes", "y"}),
    ({"false", "f"}, {"true", "t"}),
    ({"off"}, {"on"}),
]  # of no and yes, in any case
NUMBERS = [(Decimal(0), Decimal(1)), (Decimal(-1), Decimal(1))]
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,2})?", re.ASCII)
COMMA_NUMBER = re.compile(r"[+-]?\d+(,\d+)?", re.ASCII)
THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+", re.ASCII)
FEW = 20  # different numbers that are categories by themselves; more are measurements
MOST_VALUES = 1000  # of a label; a column with more is a name of each image
SHOWN = 12  # values whose counts are printed

T = TypeVar("T")
Bins = str | int | list[float]  # of `dataset.bins`


@dataclass(frozen=True)
class Column:
    """A column as it was read.

    Args:
        name: in the header.
        kind: what it was taken for, for the user, such as `yes/no` or `3 categories`.
        values: the names of the values; empty if the column is no label.
        codes: the index of each row's value, -1 where it is missing, int64, (n,).
        reason: why the column is no label, and what to do; empty if it is one.
        remarks: sentences about values that look alike.
        closed: whether values without a row are values all the same, as yes is.
    """

    name: str
    kind: str
    values: list[str]
    codes: np.ndarray
    reason: str = ""
    remarks: list[str] = field(default_factory=list)
    closed: bool = False

    @property
    def missing(self) -> int:
        """The number of rows without a value."""
        return int((self.codes < 0).sum())

    def describe(self) -> str:
        """What the column was taken for, as the download step prints it."""
        gaps = f", {self.missing:,} missing" if self.missing else ""
        return f"{self.name}: {self.kind}{shown_counts(self.values, self.codes)}{gaps}" + (
            f"; not a label: {self.reason}" if self.reason else ""
        )


def shown_counts(values: list[str], codes: np.ndarray) -> str:
    """The number of rows with each value, for the user: ` (blue 10, red 9)`; empty without values."""
    counts = np.bincount(codes[codes >= 0], minlength=len(values))
    shown = [f"{value} {count:,}" for value, count in zip(values[:SHOWN], counts, strict=False)]
    if len(values) > SHOWN:
        shown.append(f"and {len(values) - SHOWN:,} more")
    return f" ({', '.join(shown)})" if shown else ""


def read_column(name: str, words: Iterable[str], bins: Bins | None = None, decimal_comma: bool = False) -> Column:
    """Tell what a column is.

    Args:
        name: in the header.
        words: the cells, without blanks around them, (n,).
        bins: how numbers become labels; None if nobody asked for that.
        decimal_comma: whether 0,5 is a number, as in tables whose columns are not separated by commas.

    Raises:
        UserError: bins are asked for, and the column has words that are not numbers.
    """
    place: dict[str, int] = {}
    rows = np.fromiter((place.setdefault(word, len(place)) for word in words), np.int64)
    present = [word for word in place if word not in MISSING_WORDS]
    numbers = _numbers(present, decimal_comma)
    if bins is not None and numbers is None:
        odd = next(word for word in present if _numbers([word], decimal_comma) is None)
        raise UserError(f"dataset.bins names {name!r}, which is not a column of numbers: it has {odd!r}. Leave it out.")
    column = _Words(name, present, numbers, np.bincount(rows, minlength=len(place)), place)
    found = column.read(bins)
    codes = np.full(len(place) or 1, -1, np.int64)
    for word, code in found.codes.items():
        codes[place[word]] = code
    return Column(name, found.kind, found.values, codes[rows], found.reason, found.remarks, found.closed)


@dataclass(frozen=True)
class _Found:
    kind: str
    values: list[str]
    codes: dict[str, int]  # of each word that is not missing; if there are no values, 0
    reason: str = ""
    remarks: list[str] = field(default_factory=list)
    closed: bool = False


@dataclass(frozen=True)
class _Words:
    """The different words of a column that are not missing."""

    name: str
    present: list[str]
    numbers: dict[str, Decimal] | None  # of every word; None if a word is no number
    counts: np.ndarray  # rows of every word, the missing ones too
    place: dict[str, int]  # of every word in `counts`

    def read(self, bins: Bins | None) -> _Found:
        if not self.present:
            return self._no_label("empty", "it has no value.")
        if self._has_thousands():
            return self._no_label(
                "numbers with commas",
                "its commas may divide decimals or thousands; write 1234 or 1234.5, without commas.",
            )
        if bins is None and (yes := self._yes()) is not None:
            codes = {word: int(word in yes) for word in self.present}
            return _Found("yes/no", NO_YES, codes, remarks=self._mixed(), closed=True)
        if self.numbers is None:
            return self._categories()
        if bins is None or bins == "each":
            return self._numbers(self.numbers, each=bins == "each")
        return self._binned(self.numbers, bins)

    def _has_thousands(self) -> bool:
        """Whether numbers have commas that may all divide thousands, as in 1,234."""
        commas = [word for word in self.present if "," in word]
        return self.numbers is not None and bool(commas) and all(map(THOUSANDS.fullmatch, commas))

    def _no_label(self, kind: str, reason: str) -> _Found:
        return _Found(kind, [], dict.fromkeys(self.present, 0), reason)

    def _yes(self) -> set[str] | None:
        """The words that mean yes if every word means yes or no; otherwise None."""
        if self.numbers is not None:
            found = set(self.numbers.values())
            return next(
                ({w for w, n in self.numbers.items() if n == 1} for pair in NUMBERS if found <= set(pair)), None
            )
        folded = {word.casefold() for word in self.present}
        if len(folded) == 1 and len(next(iter(folded))) == 1:  # a column of F may be of any letters
            return None
        for no, yes in SPELLINGS:
            if folded <= no | yes:
                return {word for word in self.present if word.casefold() in yes}
        return self._yes_of_several()

    def _yes_of_several(self) -> set[str] | None:
        """The words that mean yes if they are spelled in several ways, as in 0, 1 and NO; None if a word may mean anything else.

        One spelling must be there with both of its words. A single letter beside it may stand for anything.
        """
        groups = self._spelled()
        whole = [group for group in groups if all(group)]
        rest = {word for group in groups if group not in whole for words in group for word in words}
        complete = sum(len(no) + len(yes) for no, yes in groups) == len(self.present)
        if not complete or len(whole) != 1 or any(len(word) == 1 and word.isalpha() for word in rest):
            return None
        return {word for _, yes in groups for word in yes}

    def _spelled(self) -> list[tuple[set[str], set[str]]]:
        """The words of the column that mean no, and those that mean yes, for each spelling that it has."""
        numbers = _numbers([word for word in self.present if NUMBER.fullmatch(word)], decimal_comma=False) or {}
        pair = next((pair for pair in NUMBERS if set(numbers.values()) <= set(pair)), ())
        groups = [tuple({word for word, number in numbers.items() if number == each} for each in pair)]
        for spelling in SPELLINGS:
            groups.append(tuple({word for word in self.present if word.casefold() in words} for words in spelling))
        return [(group[0], group[1]) for group in groups if any(group)]

    def _mixed(self) -> list[str]:
        """A sentence about words for yes and no that are spelled in several ways."""
        if len(self._spelled()) < 2:
            return []
        return [f"{self.name}: {', '.join(map(repr, self.present[:SHOWN]))} are all read as yes or no."]

    def _categories(self) -> _Found:
        count, rows = len(self.present), self._rows()
        if count > MOST_VALUES or count > max(FEW, rows / 2):
            reason = f"a label has at most {MOST_VALUES:,} values, and fewer than half as many as there are images."
            return self._no_label(f"{count:,} different words", reason)
        values = sorted(self.present)
        remarks = [
            f"{self.name}: {' and '.join(map(repr, group))} differ only in case or blanks, and are different values."
            for group in alike(values)
        ]
        return _Found(_plural(count, "category"), values, _index(values), remarks=remarks)

    def _numbers(self, numbers: dict[str, Decimal], each: bool) -> _Found:
        values = sorted(set(numbers.values()))
        whole = all(value == value.to_integral_value() for value in values)
        few = len(values) <= FEW and (whole or 2 * len(values) <= self._rows())
        if len(values) > MOST_VALUES or not (few or each):
            reason = f"it is continuous; to make it one, bin it, as in `dataset.bins: {{{self.name}: 5}}`"
            reason += "." if len(values) > MOST_VALUES else ", or with `each` for each number by itself."
            return self._no_label(f"{len(values):,} numbers from {_word(values[0])} to {_word(values[-1])}", reason)
        index = _index(values)
        names = [_spelling(value, [word for word, number in numbers.items() if number == value]) for value in values]
        return _Found(
            _plural(len(values), "category"), names, {word: index[number] for word, number in numbers.items()}
        )

    def _binned(self, numbers: dict[str, Decimal], bins: Bins) -> _Found:
        floats = {word: float(number) for word, number in numbers.items()}
        rows = np.repeat(list(floats.values()), [self.counts[self.place[word]] for word in floats])
        edges = [float(edge) for edge in bins] if isinstance(bins, list) else _quantiles(rows, int(bins))
        if not edges:
            return self._no_label("1 number", "it has the same number everywhere, and cannot be binned.")
        names = [_word(edge) for edge in edges]
        between = [f"{low} to {high}" for low, high in pairwise(names)]
        codes = {word: int(np.searchsorted(edges, value, side="right")) for word, value in floats.items()}
        values = [f"below {names[0]}", *between, f"{names[-1]} and above"]
        return _Found(f"numbers in {len(values)} bins", values, codes, closed=True)

    def _rows(self) -> int:
        return int(sum(self.counts[self.place[word]] for word in self.present))


def _numbers(words: list[str], decimal_comma: bool) -> dict[str, Decimal] | None:
    """The number that each word is; None if one is not a number."""
    if decimal_comma and any("," in word for word in words) and all(map(COMMA_NUMBER.fullmatch, words)):
        return {word: Decimal(word.replace(",", ".")) for word in words}
    return {word: Decimal(word) for word in words} if all(map(NUMBER.fullmatch, words)) else None


def _quantiles(numbers: np.ndarray, bins: int) -> list[float]:
    """Edges that leave about equally many numbers in each bin, as short as they can be and all different.

    Equal numbers are in one bin. Numbers that repeat often may leave fewer bins.
    """
    exact = np.unique(np.quantile(numbers, np.arange(1, bins) / bins, method="higher"))
    for digits in range(2, 18):
        edges = [float(f"{edge:.{digits}g}") for edge in exact]
        inside = [edge for edge in edges if numbers.min() < edge <= numbers.max()]
        filled = np.bincount(np.searchsorted(inside, numbers, side="right"), minlength=len(inside) + 1)
        if len(set(edges)) == len(edges) and filled.all() and _close(edges, exact, numbers):
            return inside
    return [edge for edge in exact.tolist() if edge > numbers.min()]


def _close(edges: list[float], exact: np.ndarray, numbers: np.ndarray) -> bool:
    """Whether at most a hundredth of the numbers lie between an edge and its rounded form."""
    return all(
        abs(int((numbers < edge).sum()) - int((numbers < quantile).sum())) <= len(numbers) / 100
        for edge, quantile in zip(edges, exact, strict=True)
    )


def _spelling(value: Decimal, words: list[str]) -> str:
    """The name of a number: as it is written if it begins with zeros, as in 007, and otherwise short."""
    return words[0] if len(words) == 1 and re.fullmatch(r"0\d+", words[0], re.ASCII) else _word(value)


def _word(value: Decimal | float) -> str:
    """A number, written short: 1 for 1.0."""
    number = Decimal(str(value)) if isinstance(value, float) else value
    if not number:
        return "0"
    return f"{number.to_integral_value():f}" if number == number.to_integral_value() else f"{number.normalize():f}"


def alike(values: list[str]) -> list[list[str]]:
    """Values that differ only in case or blanks, in groups."""

    def folded(value: str) -> str:
        return "".join(value.casefold().split())

    groups = [list(group) for _, group in groupby(sorted(values, key=folded), key=folded)]
    return [group for group in groups if len(group) > 1]


def _index(values: Iterable[T]) -> dict[T, int]:
    return {value: code for code, value in enumerate(values)}


def _plural(count: int, noun: str) -> str:
    return f"1 {noun}" if count == 1 else f"{count:,} {noun.removesuffix('y')}ies"
