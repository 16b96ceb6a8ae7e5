"""What a column of a table is taken for: yes or no, categories, or numbers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TypeVar

import numpy as np

from vaeline.data.bins import Bins, edges_of, names_of
from vaeline.data.numbers import (
    COMMA_NUMBER,
    NUMBER,
    are_whole,
    by_number,
    in_short,
    numbers_of,
    seem_measured,
    spelling,
    why_doubtful,
    why_lists,
)
from vaeline.data.spelling import alike, look, same_looking, visible
from vaeline.data.tables import INDEX
from vaeline.data.yes_no import spelled, words_for_yes
from vaeline.system.errors import UserError, some_of

NO_YES = ["no", "yes"]
MISSING = "missing"  # the value of an empty cell if `dataset.missing` is `category`
# What an empty cell is written as: the words that pandas reads as missing, and a few more.
MISSING_WORDS = frozenset([
    "", "?", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA", "NULL",
    "NaN", "NAN", "None", "n/a", "nan", "null", "NaT", "#NUM!", "#VALUE!", "#DIV/0!", "#REF!", "#NAME?", "#NULL!",
])  # fmt: skip
# Values that people also write for a missing one, in any case; a remark names them.
SEEM_MISSING = frozenset(
    ["none", "na", "nan", "n.a.", "n/a", "null", "nil", "-", "--", "---", ".", "unknown", "undefined"]
)
FEW = 20  # different numbers that are categories by themselves; more are measurements
ALL_DIFFERENT = 10  # values that are all different and say nothing of an image
MOST_VALUES = 1000  # of a label; a column with more is a name of each image
SHOWN = 12  # values whose counts are printed

T = TypeVar("T")


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
        fault: why the column cannot be used at all, and what to do; empty if it can.
    """

    name: str
    kind: str
    values: list[str]
    codes: np.ndarray
    reason: str = ""
    remarks: list[str] = field(default_factory=list)
    fault: str = ""

    @property
    def missing(self) -> int:
        """The number of rows without a value."""
        return int((self.codes < 0).sum())

    def with_missing(self) -> "Column":
        """The column with `missing` as a value, if it is a label and a value is missing."""
        if self.reason or not self.missing:
            return self
        values, codes = whole(self.values, self.codes)
        return replace(
            self, kind=self.kind.replace(*_counts(len(self.values), len(values))), values=values, codes=codes
        )

    def describe(self) -> str:
        """What the column was taken for, as the download step prints it."""
        gaps = f"; {self.missing:,} missing" if self.missing else ""
        return f"{self.name}: {self.kind}{shown_counts(self.values, self.codes)}{gaps}" + (
            f"; not a label: {self.reason}" if self.reason else ""
        )


def whole(values: list[str], codes: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Values and codes with `missing` as a value where one is missing."""
    if not (codes < 0).any():
        return values, codes
    values = values if MISSING in values else [*values, MISSING]
    return values, np.where(codes < 0, values.index(MISSING), codes)


def is_missing(cell: str) -> bool:
    """Whether a cell is empty, or says that its value is missing, by what it looks like."""
    return look(cell) in MISSING_WORDS


def seems_missing(word: str) -> bool:
    """Whether a value may be meant for a missing one."""
    return word.casefold() in SEEM_MISSING or not word.strip("#")  # which Excel writes for a narrow column


def shown_counts(values: list[str], codes: np.ndarray) -> str:
    """The number of rows with each value, for the user: `: blue (10), red (9)`; empty without values."""
    counts = np.bincount(codes[codes >= 0], minlength=len(values))
    shown = [f"{visible(value)} ({count:,})" for value, count in zip(values, counts, strict=False)]
    return f": {some_of(shown, SHOWN)}" if shown else ""


def read_column(
    name: str,
    words: Iterable[str],
    bins: Bins | None = None,
    decimal_comma: bool = False,
    lines: Sequence[int] | None = None,
) -> Column:
    """Tell what a column is.

    Args:
        name: in the header.
        words: the cells, without blanks around them, (n,).
        bins: how numbers become labels; None if nobody asked for that.
        decimal_comma: whether 0,5 is a number, as in tables whose columns are not separated by commas.
        lines: of the cells in the table's file, for errors.

    Raises:
        UserError: bins are asked for, and the column has words that are not numbers.
    """
    words = list(words)
    place = _index(dict.fromkeys(words))
    rows = np.fromiter(map(place.__getitem__, words), np.int64, len(words))
    present = [word for word in place if word not in MISSING_WORDS]
    numbers = numbers_of(present, decimal_comma)
    column = _Words(name, present, numbers, np.bincount(rows, minlength=len(place)), place, decimal_comma)
    if bins is not None and numbers is None:
        odd, why = column.why_no_numbers()
        at = f" in line {lines[words.index(odd)]}" if lines else ""
        raise UserError(f"dataset.bins names {name!r}, which is not a column of numbers: it has {odd!r}{at}{why}")
    found = column.read(bins)
    codes = np.full(len(place) or 1, -1, np.int64)
    for word, code in found.codes.items():
        codes[place[word]] = code
    remarks = [*found.remarks, *(column.doubts() if found.values else [])]
    fault = _fault(name, present) if found.values else ""
    return Column(name, found.kind, found.values, codes[rows], found.reason, remarks, fault)


def _fault(name: str, words: list[str]) -> str:
    """Why words cannot be values: two look the same, or one looks like an empty cell. Empty if they can."""
    if same := same_looking(words):
        return f"{name} has {' and '.join(map(ascii, same))}, which look the same; write one of them everywhere."
    if empty := next(filter(is_missing, words), None):
        return f"{name} has {empty!a}, which looks like {look(empty)!r}; write that, or another word."
    return ""


@dataclass(frozen=True)
class _Found:
    kind: str
    values: list[str]
    codes: dict[str, int]  # of each word that is not missing; if there are no values, 0
    reason: str = ""
    remarks: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Words:
    """The different words of a column that are not missing."""

    name: str
    present: list[str]
    numbers: dict[str, Decimal] | None  # of every word; None if a word is no number
    counts: np.ndarray  # rows of every word, the missing ones too
    place: dict[str, int]  # of every word in `counts`
    decimal_comma: bool

    def read(self, bins: Bins | None) -> _Found:
        if not self.present:
            return self._no_label("empty", "it has no value.")
        if self.numbers and INDEX.fullmatch(self.name):
            return self._no_label("numbers of rows", "pandas writes it to number the rows.")
        if bins is None and self.numbers and (reason := why_lists(self.numbers)):
            return self._no_label(f"{len(self.present):,} different numbers that are not read", reason)
        few = bins is None and len(self.present) <= MOST_VALUES
        if few and (yes := words_for_yes(self.present, self.numbers)) is not None:
            codes = {word: int(word in yes) for word in self.present}
            return _Found("yes/no", NO_YES, codes, remarks=self._mixed(yes) + self._same_numbers())
        if self.numbers is None:
            return self._categories()
        if bins is None or bins == "each":
            return self._numbers(self.numbers, each=bins == "each")
        return self._binned(self.numbers, bins)

    def _no_label(self, kind: str, reason: str) -> _Found:
        return _Found(kind, [], dict.fromkeys(self.present, 0), reason)

    def _mixed(self, yes: set[str]) -> list[str]:
        """A sentence about words for yes and no that are spelled in several ways."""
        if len(spelled(self.present)) < 2:
            return []
        no = [word for word in self.present if word not in yes]
        return [f"{self.name}: {_listed(sorted(yes))} are read as yes, and {_listed(sorted(no))} as no."]

    def _same_numbers(self) -> list[str]:
        """A sentence about numbers that are written in several ways."""
        groups = [words for words in by_number(self.numbers or {}).values() if len(words) > 1]
        others = f"; {len(groups) - 1:,} more are written in several ways" if len(groups) > 1 else ""
        return [f"{self.name}: {_listed(groups[0])} are one number, and one value{others}."] if groups else []

    def doubts(self) -> list[str]:
        """Sentences about values that may be meant as something else."""
        return [
            f"{self.name}: {word!r} is read as a value; empty its cells if it means that the value is missing."
            for word in self.present
            if seems_missing(word)
        ]

    def _numerals(self) -> list[str]:
        """The words that are numbers by themselves, with a point or a comma."""
        return [word for word in self.present if NUMBER.fullmatch(word) or COMMA_NUMBER.fullmatch(word)]

    def why_no_numbers(self) -> tuple[str, str]:
        """A word that is no number; and why, and what to do."""
        if doubt := why_doubtful(self.present, self.decimal_comma):
            commas, points = ([word for word in self.present if mark in word] for mark in ",.")
            return min(filter(None, (commas, points)), key=len)[0], f", and {doubt}"
        kinds = (self._numerals(), [word for word in self.present if NUMBER.fullmatch(word)])
        odd = next(word for known in kinds for word in self.present if word not in known)
        todo = "write plain numbers" if seem_measured([odd]) else "correct it, empty its cell, or leave the column out"
        return odd, f"; {todo}."

    def _categories(self) -> _Found:
        count, rows = len(self.present), self._rows()
        if reason := why_doubtful(self.present, self.decimal_comma) or self._why_measured():
            return self._no_label(f"{count:,} different numbers that are not read", reason)
        if count > MOST_VALUES or count > max(FEW, rows / 2):
            reason = f"a label has at most {MOST_VALUES:,} values, and fewer than half as many as there are images."
            return self._no_label(f"{count:,} different words", reason)
        if count == rows >= ALL_DIFFERENT:
            return self._no_label(f"{count:,} different words", "every image has another value.")
        values = sorted(self.present)
        remarks = [
            f"{self.name}: {' and '.join(map(repr, group))} differ only in case or blanks, and are different values."
            for group in alike(values)
        ]
        if seem_measured(values) or len(self._numerals()) > FEW:
            word = next(word for word in values if not NUMBER.fullmatch(word))
            remarks.append(f"{self.name}: {word!r} is no number, so that all values are read as words.")
        return _Found(_plural(count, "category"), values, _index(values), remarks=remarks)

    def _why_measured(self) -> str:
        """Why words are measurements that are not read, and what to do; empty if they are categories."""
        many = len(self.present) > FEW
        if seem_measured(self.present) and (
            many or (2 * len(self.present) > self._rows() and not are_whole(self.present))
        ):
            return f"{self.present[0]!r} is not read as a number; write plain numbers, such as 1234.5, and bin them."
        if many and sum("." in word or "," in word for word in self._numerals()) > FEW:
            odd, why = self.why_no_numbers()
            return f"most of its values are numbers, but {odd!r} is not a number{why}"
        return ""

    def _numbers(self, numbers: dict[str, Decimal], each: bool) -> _Found:
        values = sorted(set(numbers.values()))
        whole = all(value == value.to_integral_value() for value in values)
        few = len(values) <= FEW and (whole or 2 * len(values) <= self._rows())
        if len(values) > MOST_VALUES or not (few or each):
            reason = f"it is continuous; to make it one, bin it, as in `dataset.bins: {{{self.name}: 5}}`"
            reason += "." if len(values) > MOST_VALUES else ", or with `each` for each number by itself."
            return self._no_label(
                f"{len(values):,} numbers from {in_short(values[0])} to {in_short(values[-1])}", reason
            )
        if not each and len(values) == self._rows() >= ALL_DIFFERENT:
            return self._no_label(f"{len(values):,} numbers", "every image has another value.")
        index, words = _index(values), by_number(numbers)
        names = [spelling(value, words[value]) for value in values]
        codes = {word: index[number] for word, number in numbers.items()}
        return _Found(_plural(len(values), "category"), names, codes, remarks=self._same_numbers())

    def _binned(self, numbers: dict[str, Decimal], bins: Bins) -> _Found:
        floats = {word: float(number) for word, number in numbers.items()}
        rows = np.repeat(list(floats.values()), [self.counts[self.place[word]] for word in floats])
        edges = edges_of(rows, bins if isinstance(bins, list) else int(bins))
        if not edges:
            return self._no_label("1 number", "it has the same number everywhere, and cannot be binned.")
        values = names_of(edges)
        codes = {word: int(np.searchsorted(edges, value, side="right")) for word, value in floats.items()}
        span = f"from {in_short(float(rows.min()))} to {in_short(float(rows.max()))}"
        if empty := [value for code, value in enumerate(values) if code not in set(codes.values())]:
            raise UserError(
                f"dataset.bins: no {self.name} is in {', '.join(empty)}; its numbers are {span}. Choose other edges."
            )
        return _Found(f"numbers {span} in {len(values)} bins", values, codes)

    def _rows(self) -> int:
        missing = [at for word in MISSING_WORDS if (at := self.place.get(word)) is not None]
        return int(self.counts.sum() - self.counts[missing].sum())


def _listed(words: list[str]) -> str:
    """Some words, quoted: `'1', 'yes' and 2 more`."""
    return some_of(list(map(repr, words)), SHOWN)


def _index(values: Iterable[T]) -> dict[T, int]:
    return {value: code for code, value in enumerate(values)}


def _counts(before: int, after: int) -> tuple[str, str]:
    return _plural(before, "category"), _plural(after, "category")


def _plural(count: int, noun: str) -> str:
    return f"1 {noun}" if count == 1 else f"{count:,} {noun.removesuffix('y')}ies"
