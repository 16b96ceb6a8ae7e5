"""Tables of text that describe images: CSV out of a spreadsheet or of pandas, and columns that are divided by blanks.

A table is read as a whole. Whatever might be read in two ways is refused, with the line that shows it.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from sys import intern

from vaeline.data.decoding import suffixes
from vaeline.data.spelling import alike, look, visible
from vaeline.system.errors import UserError

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32"} | {
    codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16",
}  # fmt: skip
INDEX = re.compile(r"index|Unnamed: \d+(\.\d+)?|level_\d+")  # headers that pandas gives to row numbers
SEPARATOR_LINE = re.compile(r"\Asep=[,;\t]\n", re.IGNORECASE)  # a line that only Excel reads
Records = list[tuple[int, list[str]]]  # the line in the file, and the cells without blanks around them


@dataclass(frozen=True)
class Table:
    """A table as text: a name for each image, and a value in each column."""

    ids: list[str]  # all different
    names: list[str]  # of the columns after the first, all different
    rows: list[list[str]]  # (n, columns)
    lines: list[int]  # of each row in the file
    first: str = ""  # the header of the first column; empty if it has none
    decimal_comma: bool = False  # whether 0,5 may be a number
    notes: list[str] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)  # of the rows, from a first column that is left out

    def column(self, name: str) -> list[str]:
        """The cells of a column."""
        place = self.names.index(name)
        return [row[place] for row in self.rows]

    def keep(self, rows: Iterable[int]) -> "Table":
        """The table with some of its rows."""
        chosen = list(rows)
        return replace(
            self,
            ids=[self.ids[row] for row in chosen],
            rows=[self.rows[row] for row in chosen],
            lines=[self.lines[row] for row in chosen],
            numbers=[self.numbers[row] for row in chosen] if self.numbers else [],
        )


def read_table(content: bytes, where: str, header: list[str] | None = None) -> Table:
    """Read a table whose first column names the image.

    Columns are separated by commas, semicolons, tabs or blanks. A first line with only a number, as in CelebA's tables, is skipped.

    Args:
        content: the bytes of the file: UTF-8, or UTF-16 with its mark.
        where: the file's name, for errors.
        header: the names of the columns after the first, for a table divided by blanks that does not name them.

    Raises:
        UserError: the table is not text, has no row, or is not whole; the sentence names the line.
    """
    text = SEPARATOR_LINE.sub("\n", _text(content, where))
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not lines:
        raise _no_table(where, "it is empty")
    found = [mark for mark in SEPARATORS if _outside_quotes(lines[0][1], mark)]
    if not found:
        return _checked(_divided_by_blanks(lines, header, where), where)
    mark, records = _separated(text, found, where)
    return _checked(_with_header(records, where, decimal_comma=mark in (";", "\t")), where)


def _text(content: bytes, where: str) -> str:
    if content[:2] == b"PK":
        raise UserError(f"{where} is a spreadsheet or a zip archive; save it as CSV in UTF-8.")
    encoding = next((name for mark, name in MARKS.items() if content.startswith(mark)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise UserError(f"{where} is not UTF-8 text ({error}); save it as CSV in UTF-8.") from error
    if "\0" in text:
        raise UserError(f"{where} is not UTF-8 text (it contains zero bytes); save it as CSV in UTF-8.")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _no_table(where: str, came: str) -> UserError:
    return UserError(
        f"{where} holds no table of images: {came}. A header and a row of values for each image are needed, with columns separated by "
        "commas, semicolons, tabs or blanks."
    )


def _outside_quotes(line: str, mark: str) -> int:
    """How often a separator occurs in a line, outside of quoted cells."""
    return sum(part.count(mark) for part in line.split('"')[::2])


def _separated(text: str, marks: list[str], where: str) -> tuple[str, Records]:
    """The separator of a table, and its rows: the one that divides every row into as many cells as the header.

    Raises:
        UserError: no separator does, or several do.
    """
    parsed = {mark: _records(text, mark, where) for mark in marks}
    even = [mark for mark, records in parsed.items() if len({len(cells) for _, cells in records}) == 1]
    if len(even) > 1:
        words = " or ".join(SEPARATORS[mark] for mark in even)
        raise UserError(
            f"The columns of {where} are separated by {words}: both fit every row; put cells that contain one into quotes."
        )
    mark = even[0] if even else max(marks, key=lambda mark: len(parsed[mark][0][1]))
    return mark, parsed[mark]


def _records(text: str, mark: str, where: str) -> Records:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark, skipinitialspace=True, strict=True)
    records: Records = []
    try:
        for cells in reader:
            stripped = list(map(intern, map(str.strip, cells)))  # one object for each of millions of equal words
            if any(stripped):
                records.append((reader.line_num, _trimmed(stripped, len(records[0][1]) if records else None)))
    except csv.Error as error:
        raise UserError(f"{where}, line {reader.line_num}: {error}; correct the quotes of this row.") from error
    return records


def _trimmed(cells: list[str], width: int | None) -> list[str]:
    """A row without the empty cells that spreadsheets add at its end."""
    while width is not None and len(cells) > width and not cells[-1]:
        cells = cells[:-1]
    return cells


def _with_header(records: Records, where: str, decimal_comma: bool) -> Table:
    (line, (first, *names)), *rest = records
    while names and not names[-1] and not any(cells[-1] for _, cells in rest if len(cells) == len(names) + 1):
        names, rest = names[:-1], [(at, cells[: len(names)]) for at, cells in rest]  # a column without name and values
    table = _of(first, names, rest, decimal_comma)
    if _is_image(first):
        raise UserError(
            f"{where} has no header: its first row, line {line}, is of the image {first!r}; add a row above it with the names of the columns."
        )
    return _without_index(table)


def _of(first: str, names: list[str], records: Records, decimal_comma: bool = False) -> Table:
    ids, rows, lines = (
        [cells[0] for _, cells in records],
        [cells[1:] for _, cells in records],
        [at for at, _ in records],
    )
    return Table(ids, names, rows, lines, first, decimal_comma)


def _is_image(name: str) -> bool:
    return name.lower().endswith(suffixes())


def _without_index(table: Table) -> Table:
    """The table without the column of row numbers that pandas writes first, under no name.

    It is left out only before a column that may name images.
    """
    numbered = table.ids in ([str(row) for row in range(start, start + len(table.ids))] for start in (0, 1))
    if not (numbered and (not table.first or INDEX.fullmatch(table.first)) and len(table.names) > 1):
        return table
    if any(len(row) != len(table.names) for row in table.rows):
        return table  # which is refused
    ids, rows = [row[0] for row in table.rows], [row[1:] for row in table.rows]
    if len(set(ids)) < len(ids) and not any(map(_is_image, ids)):
        return table
    first, *names = table.names
    notes = ["the first column numbers the rows and is left out."]
    return _without_index(Table(ids, names, rows, table.lines, first, table.decimal_comma, notes, table.ids))


def _divided_by_blanks(lines: list[tuple[int, str]], header: list[str] | None, where: str) -> Table:
    records = [(number, list(map(intern, line.split()))) for number, line in lines]
    if len(records[0][1]) == 1 and records[0][1][0].isdecimal():
        records = records[1:]
    if header is not None:
        return _of("", header, records)
    if len(records) < 2 or len(records[1][1]) < 2:
        raise _no_table(where, f"its first line is {lines[0][1].strip()[:80]!r}")
    (line, names), *rest = records
    if _is_image(names[0]):
        raise UserError(
            f"{where} has no header: its first row, line {line}, is of the image {names[0]!r}; add a row with the names of the columns."
        )
    has_first = len(names) == len(rest[0][1])  # CelebA's tables do not name the column of images
    return _of(names[0], names[1:], rest) if has_first else _of("", names, rest)


def _checked(table: Table, where: str) -> Table:
    """The table, if its header is unambiguous, each row is whole, and no image has two rows.

    Raises:
        UserError: it is not.
    """
    if not table.rows:
        raise _no_table(where, "it has no row below its header" if table.names or table.first else "it has no row")
    if not table.names:
        raise _no_table(where, f"its only column is {table.first!r}")
    _check_header([table.first, *table.names], where)
    table = replace(table, names=list(map(visible, table.names)), notes=table.notes + _differing_in_case(table.names))
    for line, name, values in zip(table.lines, table.ids, table.rows, strict=True):
        if len(values) != len(table.names):
            commas = len(values) > len(table.names) and not table.decimal_comma
            todo = ", and if a number has a decimal comma, separate the columns by semicolons, or quote it"
            raise UserError(
                f"{where}, line {line}: the row of {name!r} has {len(values) + 1} values for {len(table.names) + 1} columns, with the name of the image; "
                f"correct it{todo if commas else ''}."
            )
        if not name:
            raise UserError(f"{where}, line {line}: the row names no image; the first column has to.")
    _check_first_names(table, where)
    check_once(zip(table.ids, table.lines, strict=True), where)
    return table


def _check_first_names(table: Table, where: str) -> None:
    """Check that it is not another column than the first that names the images."""
    if len(set(table.ids)) == len(table.ids) or any(map(_is_image, table.ids)):
        return
    if naming := next((name for name in table.names if all(map(_is_image, table.column(name)))), None):
        raise UserError(
            f"{where}: column {naming!r} names images, and the first column, {table.first!r}, does not; make {naming!r} the first one."
        )


def _check_header(header: list[str], where: str) -> None:
    for place, name in enumerate(header[1:], 2):
        if not visible(name):
            raise UserError(f"{where}: column {place} has values but no name; name it, or remove it.")
    seen: dict[str, int] = {}
    for place, name in enumerate(header):
        if (other := seen.setdefault(look(name), place)) != place:
            both = (
                f"both called {name!r}"
                if name == header[other]
                else f"called {header[other]!a} and {name!a}, which look the same"
            )
            raise UserError(f"{where}: columns {other + 1} and {place + 1} are {both}; rename one.")


def _differing_in_case(names: list[str]) -> list[str]:
    """Notes on columns whose names differ only in case or blanks."""
    return [
        f"{' and '.join(map(repr, group))} differ only in case or blanks, and are different columns."
        for group in alike(names)
    ]


def check_once(rows: Iterable[tuple[str, int]], where: str) -> None:
    """Check that no image has two rows.

    Args:
        rows: the image and the line of each.
        where: the file's name.

    Raises:
        UserError: one has.
    """
    seen: dict[str, int] = {}
    for name, line in rows:
        if seen.setdefault(name, line) != line:
            raise UserError(f"{where} has two rows for {name}, in lines {seen[name]} and {line}; leave one.")
