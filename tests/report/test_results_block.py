"""The block that a page shows of a study: bounds, floors, claims, and what the study was made with."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.made_up_results import kept
from vaeline.report import results_block

VALUES = {
    "nll": {"one": [1.0, 1.1, 1.3], "two": [3.0, 3.2, 3.3]},
    "fd_sample": {"one": [4.0, 4.1, 4.2], "two": [9.0, 9.4, 9.1]},
    "leakage": {"one": [1.0, 1.0, 2.0], "two": [2.0, 2.0, 1.0]},
}


@pytest.fixture
def block() -> Callable[..., str]:
    def render(page: str = "docs/page.md", **more: object) -> str:
        bound = {"two": {"nll": {"upper_bound": "it has not converged"}}}
        return results_block.block(kept(VALUES, how=bound, **more), Path(page), asked=["leakage"])

    return render


def lines_of(text: str, begin: str) -> list[list[str]]:
    """The cells of the lines of tables that begin so."""
    return [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith(f"| {begin}")
    ]


def test_the_table_has_bounds_floors_and_what_claims_of_papers_name(block: Callable[..., str]) -> None:
    [head] = [line for line in block().splitlines() if line.startswith("|") and "fd_sample" in line][:1]
    assert [cell.strip() for cell in head.split("|")[1:-1]] == [
        "",
        "**`nll`** ↓ nats",
        "**`fd_sample`** ↓",
        "`leakage` nats",
    ]
    two = lines_of(block(), "`two`")[0]
    assert two[1].startswith("≤ 3.17 ± ") and two[2].startswith("9.17 ± ")
    [real] = lines_of(block(), "real images")
    assert real == ["real images", "", "1.00 (spread 0.10)", ""]


def test_a_value_that_ranks_nothing_says_why() -> None:
    values = {"skl": VALUES["nll"], "fd_sample": {"one": [0.1, 0.11, 0.12], "two": [9.0, 9.4, 9.1]}}
    text = results_block.block(kept(values, how={"two": {"skl": {"saturated": True}}}), Path("README.md"))
    two, one = lines_of(text, "`two`")[0], lines_of(text, "`one`")[0]
    assert any(cell.startswith("3.17 ± ") and cell.endswith("(saturated)") for cell in two)
    assert any(cell.startswith("0.110 ± ") and cell.endswith("(better than real images)") for cell in one)


def test_a_value_that_describes_only_says_so() -> None:
    why = "the codes hold less than a bit"
    text = results_block.block(
        kept({"skl": VALUES["nll"]}, how={"one": {"skl": {"descriptive": why}}}), Path("README.md")
    )
    assert lines_of(text, "`one`")[0][1].endswith("(ranks nothing)") and f"- `skl` of `one`: {why}." in text


def test_each_claim_has_a_line_with_its_reason(block: Callable[..., str]) -> None:
    """A bound can be beaten and proves nothing."""
    nll, samples = lines_of(block(), "`one` better than `two`")
    assert nll[1:2] == ["`nll`"] and nll[3:] == ["3 of 3", "no: the value of two is an upper bound"]
    assert samples[1:2] == ["`fd_sample`"] and samples[3:] == ["3 of 3", "yes"]


def test_many_claims_are_counted(block: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results_block, "MOST_CLAIMS", 1)
    assert "- Of 2 comparisons in primary metrics, adjusted together, 1 is a claim." in block()
    [made] = lines_of(block(), "`one` better than `two`")
    assert made[1] == "`fd_sample`" and made[4] == "yes"


def test_claims_that_no_table_could_hold_are_told_by_what_is_better(
    block: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results_block, "MOST_CLAIMS", 0)
    assert block().splitlines()[-1] == "- In `fd_sample`, `one` is better than `two`."


def test_the_line_says_what_the_study_was_made_with(block: Callable[..., str]) -> None:
    said = block(edited=["vaeline/a.py"], changed=["study.seeds [0], now [0, 1, 2]"]).splitlines()[0]
    assert said == (
        "`tiny_quick`: 2 variants from 3 seeds (0, 1, 2); images: 4 for training and 4 for test; 2 epochs of the 20 of the whole study; code of "
        "commit `c0ffeec` with edits of 1 file; trained 2026-11-30 on a machine; `make run`, with changed settings: study.seeds [0], now [0, 1, 2]. "
        "All numbers: [tiny.json](results/tiny.json)."
    )
    assert "[tiny.json](docs/results/tiny.json)" in block("README.md")


def test_variants_that_one_gaussian_beats_are_named() -> None:
    values = {"fd_sample": {"one": [9.0, 9.4, 9.1], "two": [4.0, 4.1, 4.2]}}
    for gaussian, note in (
        (2.0, "- `fd_sample`: the pixel Gaussian is better."),
        (6.0, "- `fd_sample` of `one`: the pixel Gaussian is better."),
        (20.0, ""),
    ):
        text = results_block.block(kept(values, scale={"fd_pixel_gaussian": gaussian}), Path("docs/page.md"))
        assert [line for line in text.splitlines() if "pixel Gaussian is" in line] == ([note] if note else [])
