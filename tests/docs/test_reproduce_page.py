"""The page of reproduced rows says what its JSON says, and every row of the JSON is one of studies/published.yaml."""

from pathlib import Path

import pytest

from pipeline_steps import reproduce
from pipeline_steps.reproduce import KEPT, PAGE, kept_rows, page
from vaeline.report.equivalence import Difference, verdict
from vaeline.study.published_rows import read_rows
from vaeline.system.errors import UserError
from vaeline.system.sealed_files import write_sealed

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def at_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def test_the_table_is_that_of_the_kept_rows() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert page(text, kept_rows()) == text, "run `vaeline reproduce --keep`"


def test_kept_rows_are_those_of_the_file_and_their_outcomes_follow() -> None:
    rows = read_rows().rows
    for kept in kept_rows():
        row = rows[kept.row]
        assert (kept.metric, kept.margin, kept.source) == (row.metric, row.margin, row.source), kept.row
        assert kept.closed_form or kept.published == row.value
        compared = kept.epochs == kept.of_epochs and not row.differs
        decided = verdict(Difference(kept.difference, kept.half_width, tuple(kept.over)), kept.margin)
        assert not compared or (kept.outcome, kept.reason) == decided, kept.row
        assert compared or kept.outcome == "not comparable", kept.row


def test_a_table_that_was_edited_by_hand_differs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert page(text.replace("| row |", "| raw |"), kept_rows()) == text
    rows = [each.model_dump() for each in kept_rows()]
    monkeypatch.setattr("pipeline_steps.reproduce.KEPT", tmp_path / KEPT.name)
    write_sealed(tmp_path / KEPT.name, {"rows": rows[1:]})
    assert page(text, kept_rows()) != text


@pytest.mark.parametrize(
    ("begin", "end", "why"),
    [
        (True, False, "has a block of rows that does not end"),
        (False, True, "ends a block of rows that does not begin"),
        (False, False, "has 0 blocks of rows, but should have one"),
    ],
)
def test_a_page_without_its_marks_keeps_all_that_it_says(
    begin: bool, end: bool, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if (begin or "<!-- rows:" not in line) and (end or "<!-- end of rows" not in line)]
    copy, rows = tmp_path / PAGE.name, kept_rows()
    copy.write_text("".join(kept), encoding="utf-8")
    for name, path in (("PAGE", copy), ("KEPT", tmp_path / KEPT.name)):
        monkeypatch.setattr(reproduce, name, path)
    with pytest.raises(UserError, match=why):
        reproduce._keep(rows)
    assert copy.read_text(encoding="utf-8") == "".join(kept) and not (tmp_path / KEPT.name).exists()


def test_a_shorter_training_replaces_no_longer_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy, rows = tmp_path / PAGE.name, kept_rows()
    copy.write_text(PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    for name, path in (("PAGE", copy), ("KEPT", tmp_path / KEPT.name)):
        monkeypatch.setattr(reproduce, name, path)
    reproduce._keep(rows)
    reproduce._keep([rows[0].model_copy(update={"epochs": 1}), rows[1].model_copy(update={"commit": "newer"})])
    assert kept_rows() == [rows[0], rows[1].model_copy(update={"commit": "newer"}), *rows[2:]]
