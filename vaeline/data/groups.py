"""Groups of images that go into one split together, such as the images of one person."""

import re
from decimal import Decimal

import numpy as np

from vaeline.data.columns import is_missing, seems_missing
from vaeline.data.numbers import NUMBER, in_short
from vaeline.data.spelling import folded, side_by_side
from vaeline.data.tables import Table
from vaeline.system.errors import UserError


def read_groups(table: Table, name: str, rows: np.ndarray, where: str) -> np.ndarray:
    """The group of each image, as text, (n,).

    A group that is spelled in two ways would be two groups, and its images could come into two splits.

    Args:
        table: with the column of groups.
        name: of the column.
        rows: of the table that are used.
        where: the file's name, for errors.

    Raises:
        UserError: a cell is empty, or two groups differ in case, blanks, accents, invisible characters or zeros alone.
    """
    cells = table.column(name)
    first: dict[str, int] = {}
    spelled: dict[str, int] = {}
    for row in rows.tolist():
        if cells[row] in first:
            continue
        if is_missing(cells[row]):
            raise UserError(
                f"{where}, line {table.lines[row]}: {name} is empty, but dataset.split.group names it; name the group, set dataset.missing to "
                "drop, or set group to null."
            )
        first[cells[row]] = row
        other = spelled.setdefault(_without_zeros(cells[row]), row)
        if other != row:
            one, another = side_by_side(cells[other], cells[row])
            raise UserError(
                f"{where}: {name} is {one} in line {table.lines[other]} and {another} in line {table.lines[row]}, which may be "
                "one group in two spellings; write it in one way, or give the groups names that differ in more."
            )
    return np.array(cells)[rows]


def doubts(groups: np.ndarray, name: str) -> list[str]:
    """Sentences about groups that may be meant as a missing one."""
    return [
        f"{name}: {group!r} is read as a group; empty its cells if it means that the group is missing."
        for group in map(str, np.unique(groups))
        if seems_missing(group)
    ]


def _without_zeros(group: str) -> str:
    """A group without differences that are easily overlooked: `1` for 01 and 1.0, `anna1` for Anna  01."""
    plain = folded(group)
    if NUMBER.fullmatch(plain):
        return in_short(Decimal(plain))
    return re.sub(r"(?<![\d.])0+(?=\d)", "", plain)
