"""Cells as text in columns."""

import pytest

from vaeline.report.text_table import aligned

LINES = [["name", "1", "a"], ["n", "1.25", "longer"]]


@pytest.mark.parametrize(
    ("sides", "text"),
    [
        ("<", ["name  1     a", "n     1.25  longer"]),
        ("<>", ["name     1       a", "n     1.25  longer"]),
        ("<><", ["name     1  a", "n     1.25  longer"]),
    ],
)
def test_columns_stand_left_or_right(sides: str, text: list[str]) -> None:
    assert aligned(LINES, sides) == text


def test_a_line_ends_with_its_last_letter_and_no_lines_are_no_text() -> None:
    assert aligned([["one", ""], ["", "two"]], "<") == ["one", "     two"]
    assert aligned([], "<") == []
