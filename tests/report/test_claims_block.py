"""The block of a paper's claims: a line for each, the counts of its verdicts, and where the numbers are from."""

from tests.made_up_results import kept
from vaeline.report import claims_block
from vaeline.report.paper_claims import Paper, PaperClaim, Papers, Question

VALUES = {
    "nll": {"one": [1.0, 1.1, 1.3], "two": [3.0, 3.2, 3.3]},
    "fd_sample": {"one": [9.0, 9.4, 9.1], "two": [4.0, 4.1, 4.2]},
}
BOTH = [Question(metric="nll"), Question(metric="fid_sample or fd_sample", published=(159.13, 1660.7))]


def claim(study: str, **more: object) -> PaperClaim:
    return PaperClaim.model_validate(
        {
            "claim": "It is better",
            "place": "table 1",
            "study": study,
            "better": "one",
            "than": "two",
            "questions": BOTH,
            **more,
        }
    )


PAPERS: Papers = {
    "paper": Paper(
        title="A paper",
        claims=[
            claim("tiny"),
            claim("digits"),
            PaperClaim(claim="It is fast", place="section 2", cannot="it would take a clock"),
        ],
    )
}


def test_a_claim_of_two_metrics_is_one_line() -> None:
    text = claims_block.block(PAPERS, "paper", {"tiny": kept(VALUES, PAPERS)})
    assert text.startswith(
        "Of 5 comparisons, 1 stands, 1 does not stand, 1 cannot be decided here, 2 are not run yet.\n"
    )
    run, later, never = [line for line in text.splitlines() if line.startswith("| It is")]
    cells = [cell.strip() for cell in run.split("|")[1:-1]]
    assert cells[:4] == [
        "It is better: `one` against `two` (`tiny`)",
        "table 1",
        "`nll` ↓<br>`fd_sample` ↓",
        "-<br>159.13 against 1,660.7",
    ]
    assert cells[4].startswith("-2.03 ± 0.") and cells[4].split("<br>")[1].startswith("5.07 ± ")
    assert cells[5] == "**stands**<br>**does not stand**"
    assert later.endswith("| **not run yet** |") and never.endswith(
        "| - | - | - | **cannot be decided here**: it would take a clock |"
    )


def test_lines_under_the_table_say_where_the_numbers_are_from() -> None:
    text = claims_block.block(PAPERS, "paper", {"tiny": kept(VALUES, PAPERS)})
    assert text.splitlines()[-2:] == [
        "- `tiny`: results of `tiny_quick`, 3 seeds, 2 epochs of the 20 of the whole study, code of commit `c0ffeec`.",
        "- `digits`: not run yet; `make use STUDY=digits`, three seeds in `study.seeds`, `make run` and `make keep-results` decide its claims.",
    ]
