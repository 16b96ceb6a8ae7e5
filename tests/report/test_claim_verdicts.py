"""The verdicts on what papers claim: known for values whose differences are known."""

from typing import Any

import pytest

from tests.made_up_results import kept
from vaeline.report import claim_verdicts
from vaeline.report.claim_verdicts import Answer, Verdict
from vaeline.report.kept_results import KeptResults
from vaeline.report.paper_claims import Paper, PaperClaim, Papers, Question

# `one` is lower by 2 on each seed, with little spread; `three` differs from `one` by less than its spread.
NLL = {"one": [1.0, 1.1, 1.3], "two": [3.0, 3.2, 3.3], "three": [1.5, 0.9, 1.2]}


def papers(
    better: str | list[str] = "one", than: str | list[str] = "two", question: dict[str, Any] | None = None, **more: Any
) -> Papers:
    """A paper of one claim."""
    asked = [Question(**(question or {"metric": "nll"}))]
    claim = PaperClaim(
        claim="It is better", place="table 1", study="tiny", better=better, than=than, questions=asked, **more
    )
    return {"paper": Paper(title="A paper", claims=[claim])}


def answer(of: Papers, kept: KeptResults | None) -> Answer:
    [found] = claim_verdicts.answers(of, of["paper"].claims[0], kept)
    return found


def test_an_interval_that_excludes_nothing_in_the_direction_of_the_claim_stands() -> None:
    found = answer(papers(), kept({"nll": NLL}, papers()))
    assert (
        (found.verdict, found.why) == (Verdict.STANDS, "")
        and found.ours.startswith("-2.03 ± 0.25")
        and found.ours.endswith(" nats")
    )


def test_the_claim_turned_around_does_not_stand() -> None:
    turned = papers("two", "one")
    assert answer(turned, kept({"nll": NLL}, turned)).verdict is Verdict.FALLS
    higher = papers("two", "one", {"metric": "mig"})
    assert answer(higher, kept({"mig": NLL}, higher)).verdict is Verdict.STANDS


def test_a_direction_is_needed_where_a_metric_ranks_nothing() -> None:
    plain, lower = papers(question={"metric": "leakage"}), papers(question={"metric": "leakage", "direction": "lower"})
    assert "ranks none" in answer(plain, kept({"leakage": NLL}, plain)).why
    assert answer(lower, kept({"leakage": NLL}, lower)).verdict is Verdict.STANDS


def test_an_open_claim_says_what_seeds_would_find() -> None:
    """The paper's difference is planned with, in its unit or as a share, and never the one seen."""
    wide = papers("one", "three")
    found = answer(wide, kept({"nll": NLL}, wide))
    assert (
        found.verdict is Verdict.OPEN
        and found.why.startswith("3 seeds find a difference of 2.")
        and ", 10 seeds of 0." in found.why
    )
    few = papers("one", "three", {"metric": "nll", "published": (5.0, 6.0), "as_here": True})
    many = papers("one", "three", {"metric": "nll", "published": (5.0, 5.1), "as_here": True})
    seeds = [int(answer(each, kept({"nll": NLL}, each)).why.split()[-2]) for each in (few, many)]
    assert 3 < seeds[0] < 10 < 50 < seeds[1]
    shifted = {**NLL, "three": [value + 0.1 for value in NLL["three"]]}
    assert answer(few, kept({"nll": shifted}, few)).why == answer(few, kept({"nll": NLL}, few)).why
    share = papers("one", "three", {"metric": "skl", "published": (90.0, 100.0)})
    assert (
        "to find 0.12, as much as in the paper, takes " in answer(share, kept({"skl": NLL}, share)).why
    )  # a tenth of 1.2


def test_a_factor_asks_for_a_share() -> None:
    """One is about 0.36 of two: better than half of it, and not better than a seventh."""
    half, seventh = papers(factor=0.5), papers(factor=1 / 7)
    assert answer(half, kept({"nll": NLL}, half)).verdict is Verdict.STANDS
    assert answer(seventh, kept({"nll": NLL}, seventh)).verdict is Verdict.FALLS


def test_several_variants_are_compared_by_their_mean() -> None:
    """Two pairs whose differences sway in turn: -3 and -1, -1 and -3, ... Their mean does not."""
    values = {"one": [0.0, 2.1, 0.0], "two": [3.0, 3.0, 3.0], "three": [2.0, 0.0, 2.1], "four": [3.0, 3.0, 3.0]}
    mean, single = papers(["one", "three"], ["two", "four"]), papers("one", "two")
    found = answer(mean, kept({"nll": values}, mean))
    assert found.verdict is Verdict.STANDS and found.ours.startswith("-1.967 ± 0.07")
    assert answer(single, kept({"nll": values}, single)).verdict is Verdict.OPEN
    bound = kept({"nll": values}, mean, how={"four": {"nll": {"upper_bound": "it has not converged"}}})
    assert answer(mean, bound).why == "the value of four is an upper bound"
    other = kept({"nll": values}, mean, how={"four": {"nll": {"method": "annealed"}}})
    assert answer(mean, other).why == "the variants were measured in different ways: method none; method annealed"
    described = kept({"nll": values}, mean, how={"four": {"nll": {"descriptive": "its latents have no density"}}})
    assert answer(mean, described).why == "the value of four ranks nothing: its latents have no density"
    with pytest.raises(ValueError, match="as many in than"):
        papers(["one", "three"], ["two"])


def test_what_cannot_rank_decides_nothing() -> None:
    bound = kept({"nll": NLL}, papers(), how={"two": {"nll": {"upper_bound": "it has not converged"}}})
    assert answer(papers(), bound).why == "the value of two is an upper bound"
    single = kept({"nll": {name: values[:1] for name, values in NLL.items()}}, papers())
    assert answer(papers(), single).why.startswith("one seed gives no interval")
    absent = papers("one", "four")
    assert answer(absent, kept({"nll": NLL}, absent)).why == "the study has no variant four"


def several(count: int, metric: str) -> Papers:
    """Claims with factors of 1, 0.99, ..., of which the first is that of `papers`."""
    [claim] = papers(question={"metric": metric})["paper"].claims
    claims = [claim.model_copy(update={"factor": 1 - place / 100}) for place in range(count)]
    return {"paper": Paper(title="A paper", claims=claims)}


def half_width(of: Papers, values: dict[str, dict[str, list[float]]]) -> float:
    return float(claim_verdicts.answers(of, of["paper"].claims[0], kept(values, of))[0].ours.split()[2])


def test_claims_of_one_study_are_adjusted_together() -> None:
    """Of five claims, each is tested at a fifth of the level at first, and its interval is wider."""
    values = {"mig": NLL}  # in which the study itself claims nothing
    assert half_width(several(5, "mig"), values) > 2 * half_width(several(1, "mig"), values)


def test_what_the_report_claims_has_its_verdict_there() -> None:
    """However much else papers ask. A claim in either direction is the same test, and other metrics are a family of their own."""
    [own] = [pair for pair in kept({"nll": NLL}).comparison.metrics["nll"].claimed.pairs if pair.second == "two"]
    assert (own.first, own.p_value is not None) == ("one", True)
    values = {"nll": NLL, "mig": NLL}
    for turned in (("one", "two"), ("two", "one")):
        of = {**papers(*turned), "other": several(5, "mig")["paper"]}
        assert half_width(of, values) == pytest.approx(own.half_width, abs=0.005)
    mig = papers(question={"metric": "mig"})
    assert half_width(mig, values) == half_width(mig, {"mig": NLL})


def test_each_look_has_its_part_of_the_level() -> None:
    once = kept({"nll": NLL}, papers())
    twice = once.model_copy(update={"comparison": once.comparison.model_copy(update={"looks": [3, 10]})})
    widths = [float(answer(papers(), each).ours.split()[2]) for each in (once, twice)]
    assert widths[1] > 1.3 * widths[0]


def test_a_study_that_was_not_run_and_a_claim_without_a_study() -> None:
    assert answer(papers(), None).verdict is Verdict.NOT_RUN
    before = kept({"nll": NLL}, {})
    assert answer(papers(), before).why == "`make keep-results STUDY=tiny` adds the comparison"
    never = {
        "paper": Paper(
            title="A paper", claims=[PaperClaim(claim="It is better", place="table 1", cannot="it would take a week")]
        )
    }
    assert answer(never, None)[3:] == (Verdict.OPEN, "it would take a week")
    with pytest.raises(
        ValueError, match="needs study, better, as many in than, and questions, or cannot, and not both"
    ):
        PaperClaim(claim="It is better", place="table 1", study="tiny", cannot="it would take a week")
