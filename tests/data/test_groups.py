"""A group that is spelled in two ways is refused, since its images could come into two splits."""

import re

import numpy as np
import pytest

from vaeline.data.groups import read_groups
from vaeline.data.spelling import look
from vaeline.data.tables import read_table
from vaeline.system.errors import UserError


def groups(*cells: str, rows: list[int] | None = None) -> np.ndarray:
    text = "\n".join(["file,x,who", *(f'{row}.png,1,"{cell}"' for row, cell in enumerate(cells))])
    chosen = np.arange(len(cells)) if rows is None else np.array(rows)
    return read_groups(read_table(text.encode(), "t.csv"), "who", chosen, "t.csv")


@pytest.mark.parametrize(
    ("one", "other"),
    [("Anna", "anna"), ("1", "1.0"), ("1", "01"), ("1.50", "1.5"), ("p1", "p01"), ("Anna Lee", "Anna  Lee"), ("Anna", "An\u200bna"), ("é", "e\u0301"),
     ("A\u00a0B", "A B"), ("\uff11", "1"), ("STRASSE", "straße"), ("Anna", "\u0410nna"), ("1e2", "100"), ("anna 1", "anna1"),
     ("p 01", "P1")],
)  # fmt: skip
def test_two_spellings_of_a_group_are_refused_by_name(one: str, other: str) -> None:
    shown = ascii if look(one) == look(other) else repr
    named = re.escape(f"who is {shown(one)} in line 3 and {shown(other)} in line 5, which may be one group")
    with pytest.raises(UserError, match=f"t.csv: {named}"):
        groups("other", one, one, other)


def test_groups_that_differ_for_a_reader_are_shown_as_they_are() -> None:
    with pytest.raises(UserError, match="who is 'Müller' in line 2 and 'müller' in line 3"):
        groups("Müller", "müller")


def test_different_groups_are_kept_as_they_are() -> None:
    names = ["Anna", " Anna", "Anne", "1", "2", "10", "p1", "p10", "x2", "x²", "1 12", "11 2", "v1.05", "v1.5"]
    assert groups(*names).tolist() == ["Anna", *names[:1], *names[2:]]


def test_rows_that_are_not_used_do_not_count() -> None:
    assert groups("Anna", "anna", "", "Eve", rows=[0, 3]).tolist() == ["Anna", "Eve"]
