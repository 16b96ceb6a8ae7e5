"""docs/keys.md is whole Markdown."""

import re

from vaeline.study import keys_page, parts


def test_every_row_of_a_table_has_four_cells() -> None:
    rows = [line for line in keys_page.document().splitlines() if line.startswith("|")]
    cells = [re.split(r"(?<!\\)\|", row)[1:-1] for row in rows]
    assert len(rows) > 50
    assert {len(row) for row in cells} == {4}


def test_a_bar_inside_a_cell_is_escaped() -> None:
    assert keys_page._row("q(z|x)", "`a|b`") == r"| q(z\|x) | `a\|b` |"


def test_every_data_set_has_a_heading_and_its_own_keys() -> None:
    page = keys_page.document()
    assert all(f"### data set `{name}`" in page.splitlines() for name in parts.built_in("sets"))
    assert (
        "| `class_name` | text |  | a class of torchvision.datasets" in page.partition("### data set `torchvision`")[2]
    )


def test_every_part_has_a_heading() -> None:
    lines = keys_page.document().splitlines()
    for family, key in keys_page.FAMILIES.items():
        assert f"## The parts of `{key}`" in lines
        assert all(f"### {key} `{name}`" in lines for name in parts.built_in(family))
