"""The results that pages show: whole, of the study that their file names, and without a path of a machine."""

import shutil
from pathlib import Path

import pytest

from tests.made_up_results import kept
from vaeline.report import kept_results
from vaeline.system.errors import UserError

VALUES = {
    "nll": {"one": [1.0, 1.1, 1.3], "two": [3.0, 3.2, 3.1]},
    "fd_sample": {"one": [2.0, 2.1, 2.2], "two": [2.0, 2.3, 2.1]},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the results of two studies."""
    for name in ("tiny_quick", "other"):
        kept_results.write(kept(VALUES, study=name), tmp_path / "kept")
    return tmp_path / "kept"


def test_what_is_written_is_read(folder: Path) -> None:
    """A quick study is found under the name of the study, with every metric, and pairs of primary metrics alone."""
    found = kept_results.read("tiny", folder)
    assert found == kept(VALUES) and found.study == "tiny_quick"
    assert found.comparison.metrics["nll"].summaries["two"].values == {0: 3.0, 1: 3.2, 2: 3.1}
    assert [pair.claimed for pair in found.comparison.metrics["nll"].pairs] == [True]


def test_every_value_is_kept_with_what_its_error_is_estimated_from() -> None:
    """How it was measured stands once, as far as all runs agree; what a page does not need is left out."""
    how = {
        "one": {"nll": {"parts": [0.5, 1.5], "curve": [1, 2]}},
        "two": {"nll": {"parts": [2.5, 3.5], "method": "annealed"}},
    }
    found = kept({"nll": VALUES["nll"]}, how=how).measured["nll"]
    assert found.alike == {"split": "test"}
    assert found.runs["one"][1] == {"value": 1.1, "parts": [0.5, 1.5]}
    assert found.of("two")[2] == {"split": "test", "value": 3.1, "parts": [2.5, 3.5], "method": "annealed"}
    assert found.of("three") == {}


def test_a_number_that_was_edited_by_hand_is_refused(folder: Path) -> None:
    path = folder / "tiny.json"
    text = path.read_text(encoding="utf-8")
    assert "3.2," in text
    path.write_text(text.replace("3.2,", "3.1,"), encoding="utf-8")
    with pytest.raises(
        UserError, match=r"tiny.json is damaged.*checksum differs.*`make keep-results STUDY=tiny` writes it anew\.$"
    ):
        kept_results.read("tiny", folder)


def test_files_that_changed_places_are_refused(folder: Path) -> None:
    shutil.copy(folder / "tiny.json", folder / "other.json")
    with pytest.raises(
        UserError, match=r"other.json is the file of another study \(it holds the results of tiny_quick\); `make"
    ):
        kept_results.read("other", folder)


def test_an_unknown_study_is_answered_by_those_that_were_meant(folder: Path) -> None:
    with pytest.raises(
        UserError,
        match=r"^There are no results of 'tinny', which a page shows, in .*; did you mean tiny\? There are: other, tiny; ",
    ):
        kept_results.read("tinny", folder, asks=", which a page shows,")
