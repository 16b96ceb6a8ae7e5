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
    text = claims_block.block(PAPERS, "paper", {"tiny": kept(VALUES)})
    assert text.startswith(
        "3 claims, 1 of which none of our studies tests. Of 4 comparisons: 1 stands, 1 does not stand, 2 are not run yet.\n"
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


def test_claims_of_all_papers_are_counted_in_a_sentence_without_our_questions() -> None:
    turned = claim("tiny", better="two", than="one")
    papers = {
        **PAPERS,
        "other": Paper(title="Another paper", claims=[turned]),
        "ours": Paper(title="A question", ours=True, claims=[turned]),
    }
    assert claims_block.tally(papers, {"tiny": kept(VALUES)}) == (
        "4 claims, 1 of which none of our studies tests. Of 6 comparisons: 2 stand, 2 do not stand, 2 are not run yet."
    )
    assert claims_block.tally({"other": papers["other"]}, {}) == "1 claim. Of 2 comparisons: 2 are not run yet."


def test_lines_under_the_table_say_where_the_numbers_are_from() -> None:
    text = claims_block.block(PAPERS, "paper", {"tiny": kept(VALUES)})
    assert text.splitlines()[-2:] == [
        "- `tiny`: results of `tiny_quick`, 3 seeds, 2 epochs of the 20 of the whole study, code of commit `c0ffeec`.",
        "- `digits`: not run yet; run `make use STUDY=digits`, `make run` and `make keep-results`.",
    ]


def test_edits_and_the_commit_of_the_intervals_are_named() -> None:
    made = kept(VALUES, edited=["vaeline/a.py", "vaeline/b.py"], statistics="beefcafe" * 5)
    lines = claims_block.block(PAPERS, "paper", {"tiny": made}).splitlines()
    assert lines[-2].endswith(
        "code of commit `c0ffeec` with edits of 2 files, intervals and claims by commit `beefcaf`."
    )


def test_a_line_says_what_is_ours_and_what_its_verdict_depends_on() -> None:
    """The second claim is decided in the family of the report's three, at a third of 5%, and not in one with five more that show nothing."""
    nll = {"one": [1.0, 1.1, 1.3], "two": [3.0, 3.4, 3.0], "three": [1.5, 0.9, 1.2]}
    same, of_one = {"one": [1.0, 1.1, 1.3], "two": [1.5, 0.9, 1.2], "three": [1.2, 1.2, 1.0]}, [Question(metric="mig")]
    others = [claim("tiny", questions=of_one, factor=1 - place / 100) for place in range(5)]
    share = claim("tiny", questions=[Question(metric="leaked_share", target=0.01)], note="the value is ours")
    means = claim("tiny", better=["one", "two"], than=["two", "three"], questions=[Question(metric="mig")])
    papers = {"paper": Paper(title="A paper", claims=[claim("tiny", questions=BOTH[:1]), share, means, *others])}
    text = claims_block.block(papers, "paper", {"tiny": kept({"nll": nll, "mig": same, "leaked_share": same})})
    assert " If all that is claimed of a study were adjusted as one family, 1 verdict would be open (†).\n" in text
    first, second, third = [line for line in text.splitlines() if line.startswith("| It is")][:3]
    assert first.endswith("(over seeds alone) | **stands** † |")
    assert "(`tiny`); the value is ours | table 1 | distance of `leaked_share` from 0.01 ↓ |" in second
    assert third.startswith("| It is better: mean of ln ratios over 2 pairs (`tiny`) |")


def test_a_distance_in_which_one_gaussian_is_better_than_all_says_so() -> None:
    """Below the table; not if it is better than some variants alone."""
    said = "In `fd_sample`, the pixel Gaussian is better than every variant."
    for gaussian, found in ((2.0, True), (6.0, False), (20.0, False)):
        text = claims_block.block(PAPERS, "paper", {"tiny": kept(VALUES, scale={"fd_pixel_gaussian": gaussian})})
        assert (said in text) == found
