"""The page of reproduced rows says what its JSON says, and every row of the JSON is one of studies/published.yaml."""

from pathlib import Path

import pytest

from pipeline_steps.reproduce import KEPT, PAGE, kept_rows, page
from vaeline.report.equivalence import Difference, verdict
from vaeline.study.published_rows import read_rows
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
        found = verdict(Difference(kept.difference, kept.half_width, ()), kept.margin).outcome
        assert kept.outcome == (found if compared else "not comparable"), kept.row


def test_a_table_that_was_edited_by_hand_differs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert page(text.replace("| row |", "| raw |"), kept_rows()) == text
    rows = [each.model_dump() for each in kept_rows()]
    monkeypatch.setattr("pipeline_steps.reproduce.KEPT", tmp_path / KEPT.name)
    write_sealed(tmp_path / KEPT.name, {"rows": rows[1:]})
    assert page(text, kept_rows()) != text
