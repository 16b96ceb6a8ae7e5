"""The verdicts on what papers claim: known for values whose differences are known."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.made_up_results import kept
from vaeline.report import claim_verdicts, paper_claims
from vaeline.report.claim_verdicts import Answer, ClaimVerdict
from vaeline.report.claimed_differences import difference
from vaeline.report.kept_results import KeptResults
from vaeline.report.paper_claims import Paper, PaperClaim, Papers, Question
from vaeline.system.errors import UserError

# `one` is lower by 2 on each seed, with little spread; `three` differs from `one` by less than its spread.
NLL = {"one": [1.0, 1.1, 1.3], "two": [3.0, 3.2, 3.3], "three": [1.5, 0.9, 1.2]}
SKL = {"metric": "skl"}


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
    found = answer(papers(), kept({"nll": NLL}))
    assert (
        (found.verdict, found.why) == (ClaimVerdict.STANDS, "")
        and found.ours.startswith("-2.03 ± 0.25")
        and found.ours.endswith(" nats (over seeds alone)")
    )


def test_the_claim_turned_around_does_not_stand() -> None:
    turned = papers("two", "one")
    assert answer(turned, kept({"nll": NLL})).verdict is ClaimVerdict.FALLS
    higher = papers("two", "one", {"metric": "mig"})
    assert answer(higher, kept({"mig": NLL})).verdict is ClaimVerdict.STANDS


def test_a_direction_is_needed_where_a_metric_ranks_nothing() -> None:
    plain, lower = papers(question={"metric": "leakage"}), papers(question={"metric": "leakage", "direction": "lower"})
    assert "ranks none" in answer(plain, kept({"leakage": NLL})).why
    assert answer(lower, kept({"leakage": NLL})).verdict is ClaimVerdict.STANDS


def test_nearer_to_a_target_is_lower_also_if_the_metric_ranks_by_higher() -> None:
    """`one` is nearer to 1 than `two` on each seed, and the paper's better value is nearer too."""
    near = papers("one", "two", {"metric": "recall", "target": 1.0, "published": (1.2, 0.5)})
    found = answer(near, kept({"recall": NLL}))
    assert found.verdict is ClaimVerdict.STANDS and found.published == "1.2 against 0.5"
    pair = difference(near["paper"].claims[0], near["paper"].claims[0].questions[0], kept({"recall": NLL})).pair
    assert pair is not None and (pair.won, pair.lost) == (3, 0)
    far = papers("two", "one", {"metric": "recall", "target": 1.0, "published": (0.5, 1.2)})
    assert answer(far, kept({"recall": NLL})).verdict is ClaimVerdict.FALLS
    assert answer(far, None).published == "0.5 against 1.2 (worse)"


@pytest.mark.parametrize(
    ("question", "why"),
    [
        ({"metric": "fd_smaple"}, "'fd_smaple' is no metric; did you mean fd_sample"),
        ({"metric": "nll or distortion_standard_error"}, "'distortion_standard_error' is no metric"),
        ({"metric": "recall", "direction": "lower"}, "recall has the direction lower, but the metric gives one"),
        ({"metric": "leakage", "direction": "lower", "target": 0.0}, "leakage has the direction lower, but a target"),
    ],
)
def test_a_question_that_no_results_can_answer_is_refused(question: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Question(**question)
    with pytest.raises(ValueError, match="has a target, which means of several variants have not"):
        papers(["one", "two"], ["two", "three"], {"metric": "leaked_share", "target": 0.01})


@pytest.mark.parametrize(
    ("better", "than", "more", "why"),
    [
        ("one", "two", {"factor": 0.0}, "factor"),
        ("one", "two", {"factor": -1.0}, "factor"),  # which would turn the verdict around
        ("one", "one", {}, "compares a variant with itself"),
        (["one", "one"], ["two", "two"], {}, "has a pair twice"),
        (["one", "two"], ["two", "two"], {}, "compares a variant with itself"),
        (["one", "two"], ["two", "one"], {}, "has a pair twice"),  # whose mean ratio is 1 whatever was measured
    ],
)
def test_a_comparison_that_means_nothing_is_refused(better: Any, than: Any, more: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        papers(better, than, **more)


@pytest.mark.parametrize(
    ("study", "better", "why"),
    [
        ("digits", "cvaee", "names the variant 'cvaee' in .*, which digits does not have; did you mean cvae"),
        ("digit", "cvae", "names the study 'digit', which does not exist; did you mean digits"),
    ],
)
def test_a_claim_of_a_variant_or_study_that_does_not_exist_is_refused(
    tmp_path: Path, study: str, better: str, why: str
) -> None:
    claim = {
        "claim": "c",
        "place": "p",
        "study": study,
        "better": better,
        "than": "cvae_nf",
        "questions": [{"metric": "nll"}],
    }
    path = tmp_path / "claims.yaml"
    path.write_text(yaml.safe_dump({"paper": {"title": "t", "claims": [claim]}}))
    with pytest.raises(UserError, match=why):
        paper_claims.load(path)


def test_a_published_value_of_zero_is_no_share() -> None:
    """The claim is open, and nobody divides by it."""
    found = answer(papers("one", "three", {"metric": "skl", "published": (1.0, 0.0)}), kept({"skl": NLL}))
    assert found.verdict is ClaimVerdict.OPEN and "paper" not in found.why


def test_an_open_claim_says_what_seeds_would_find() -> None:
    """The paper's difference is planned with, as a share of our value, and never the one seen."""
    wide = papers("one", "three")
    found = answer(wide, kept({"nll": NLL}))
    assert (
        found.verdict is ClaimVerdict.OPEN
        and found.why.startswith("3 seeds would find a true difference of 2.")
        and ", 10 seeds one of 0." in found.why
    )
    few, many = (papers("one", "three", {"metric": "skl", "published": (other, 100.0)}) for other in (10.0, 90.0))
    said = [answer(each, kept({"skl": NLL})).why for each in (few, many)]
    assert "; the paper's relative difference, 0.12 here, needs " in said[1]  # a tenth of 1.2
    few_seeds, many_seeds = (int(re.findall(r"needs (\d+) seeds", why)[0]) for why in said)
    assert 3 < few_seeds < 10 < 50 < many_seeds
    shifted = {**NLL, "one": [value + 0.1 for value in NLL["one"]]}
    assert answer(few, kept({"skl": shifted}, few)).why == said[0]
    likelihood = papers("one", "three", {"metric": "nll", "published": (90.0, 100.0)})
    assert "paper" not in answer(likelihood, kept({"nll": NLL})).why  # no share of nats


def test_a_factor_asks_for_a_share() -> None:
    """One is about 0.36 of two: better than half of it, and not better than a seventh."""
    half, seventh = papers(factor=0.5), papers(factor=1 / 7)
    assert answer(half, kept({"nll": NLL})).verdict is ClaimVerdict.STANDS
    assert answer(seventh, kept({"nll": NLL})).verdict is ClaimVerdict.FALLS


def test_several_variants_are_compared_by_their_mean_ratio() -> None:
    """Two pairs whose ratios sway in turn. Their geometric mean, 1/4, hardly does, and a pair of a large scale counts as any."""
    values = {
        "one": [7.0, 0.5, 7.0], "two": [8.0, 8.0, 8.0], "three": [57.0, 810.0, 57.0], "four": [800.0, 800.0, 800.0]
    }  # fmt: skip
    mean, single = papers(["one", "three"], ["two", "four"], SKL), papers("one", "two", SKL)
    found = answer(mean, kept({"skl": values}))
    assert found.verdict is ClaimVerdict.STANDS and found.ours.startswith("-1.385 ± 0.0")
    assert found.ours.endswith(" (over seeds alone)") and "nats" not in found.ours
    assert answer(single, kept({"skl": values})).verdict is ClaimVerdict.OPEN
    bound = kept({"skl": values}, how={"four": {"skl": {"upper_bound": "it has not converged"}}})
    assert answer(mean, bound).why == "the value of four is an upper bound"
    other = kept({"skl": values}, how={"four": {"skl": {"method": "annealed"}}})
    assert answer(mean, other).why == "the variants were measured in different ways: method none; method annealed"
    described = kept({"skl": values}, how={"four": {"skl": {"descriptive": "its latents have no density"}}})
    assert answer(mean, described).why == "the value of four ranks nothing: its latents have no density"
    failed = kept({"skl": values})
    del failed.measured["skl"].runs["four"][1]  # type: ignore[attr-defined]
    assert answer(mean, failed).why == "the value of four ranks nothing: there is no value for seed 1"
    below = kept({"skl": {**values, "three": [1.0, -0.1, 1.0]}})
    assert answer(mean, below).why.endswith("and the value of three is not above 0")
    nats = papers(["one", "three"], ["two", "four"])
    assert answer(nats, kept({"nll": values})).why.endswith("a ratio of likelihoods in nats has no meaning")
    with pytest.raises(ValueError, match="as many in than"):
        papers(["one", "three"], ["two"])


def test_the_error_of_a_mean_ratio_is_that_of_logarithms() -> None:
    """Half the difference of a value on two halves of the images, over the value, is that of its logarithm."""
    of = papers(["one", "three"], ["two", "four"], SKL)
    values = {"one": [4.0, 4.1, 4.2], "two": [8.0, 8.1, 8.0], "three": [50.0, 51.0, 50.0], "four": [90.0, 93.0, 91.0]}
    found = []
    for scale in (1.0, 10.0):
        how = {
            name: {"skl": {"halves": [scale * of_name[0] * part for part in (0.01, -0.02, 0.03)]}}
            for name, of_name in values.items()
        }
        how["two"]["skl"]["halves"] = how["four"]["skl"]["halves"] = [0.0, 0.0, 0.0]
        [claim] = of["paper"].claims
        pair = difference(claim, claim.questions[0], kept({"skl": values}, how=how)).pair
        assert pair and pair.over == ["seeds", "images"]
        found.append(pair.errors[1][0] ** 2 - pair.errors[0][0] ** 2)
    assert found[1] == pytest.approx(100 * found[0], rel=0.01)
    assert found[0] == pytest.approx((0.01**2 + 0.02**2 + 0.03**2) / 3, rel=0.1)


def test_a_claim_may_be_that_a_metric_is_nearer_to_a_value() -> None:
    """A share of 0.01 is what latents that match their prior have; less is no better."""
    near = papers(question={"metric": "leaked_share", "target": 0.01})
    values = {"one": [0.0102, 0.0099, 0.0101], "two": [0.001, 0.0012, 0.0011]}
    found = answer(near, kept({"leaked_share": values}))
    assert found.verdict is ClaimVerdict.STANDS and found.ours.startswith("-0.00877 ± ")
    assert (
        answer(near, kept({"leaked_share": {"one": values["two"], "two": values["one"]}})).verdict is ClaimVerdict.FALLS
    )


def test_a_verdict_that_needs_two_families_says_so() -> None:
    """A p-value of 0.007 is under a third of 5%, in the report's family, and over an eighth, in one with five claims that show nothing."""
    nll = {**NLL, "two": [3.0, 3.4, 3.0]}
    alone, beside = papers(), {**papers(), "other": several(5, "mig")["paper"]}
    same = {"one": [1.0, 1.1, 1.3], "two": [1.5, 0.9, 1.2], "three": [1.2, 1.2, 1.0]}
    found = [answer(of, kept({"nll": nll, "mig": same})) for of in (alone, beside)]
    assert [(each.verdict, each.needs_two) for each in found] == [
        (ClaimVerdict.STANDS, False),
        (ClaimVerdict.STANDS, True),
    ]


def test_published_values_that_contradict_the_claim_are_marked() -> None:
    for metric, two, said in (
        ("nll", (3.6, 3.5), "3.6 against 3.5 (worse)"),
        ("fid_sample or fd_sample", (3.4, 3.5), "3.4 against 3.5"),
        ("mig", (3.4, 3.5), "3.4 against 3.5 (worse)"),
    ):
        assert answer(papers(question={"metric": metric, "published": two}), None).published == said


def test_beside_a_frechet_distance_stands_the_unbiased_one() -> None:
    of = papers(question={"metric": "fd_sample"})
    turned = papers("two", "one", {"metric": "fd_sample"})
    flat = dict.fromkeys(NLL, NLL["one"]) | {"two": [1.2, 0.9, 1.2]}
    for claim, kernel, said in (
        (of, NLL, "`kd_sample`: for it, p 0.0003"), (turned, NLL, "`kd_sample`: against it, p 0.0003"), (of, flat, "`kd_sample`: open, p 0.8")
    ):  # fmt: skip
        assert answer(claim, kept({"fd_sample": NLL, "kd_sample": kernel})).unbiased.startswith(said[:-1])
    assert answer(of, kept({"fd_sample": NLL})).unbiased == ""


def test_what_cannot_rank_decides_nothing() -> None:
    bound = kept({"nll": NLL}, how={"two": {"nll": {"upper_bound": "it has not converged"}}})
    assert answer(papers(), bound).why == "the value of two is an upper bound"
    single = kept({"nll": {name: values[:1] for name, values in NLL.items()}}, papers())
    assert answer(papers(), single).why.startswith("one seed gives no interval")
    absent = papers("one", "four")
    assert answer(absent, kept({"nll": NLL})).why == "the study has no variant four"


def several(count: int, metric: str) -> Papers:
    """Claims with factors of 1, 0.99, ..., of which the first is that of `papers`."""
    [claim] = papers(question={"metric": metric})["paper"].claims
    claims = [claim.model_copy(update={"factor": 1 - place / 100}) for place in range(count)]
    return {"paper": Paper(title="A paper", claims=claims)}


def half_width(of: Papers, values: dict[str, dict[str, list[float]]]) -> float:
    return float(claim_verdicts.answers(of, of["paper"].claims[0], kept(values))[0].ours.split()[2])


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
    once = kept({"nll": NLL})
    twice = once.model_copy(update={"comparison": once.comparison.model_copy(update={"looks": [3, 10]})})
    widths = [float(answer(papers(), each).ours.split()[2]) for each in (once, twice)]
    assert widths[1] > 1.3 * widths[0]


def test_a_study_that_was_not_run_and_a_claim_without_a_study() -> None:
    assert answer(papers(), None).verdict is ClaimVerdict.NOT_RUN
    assert answer(papers(question={"metric": "mig"}), kept({"nll": NLL})).why == "one of the two has no value"
    never = {
        "paper": Paper(
            title="A paper", claims=[PaperClaim(claim="It is better", place="table 1", cannot="it would take a week")]
        )
    }
    assert answer(never, None)[3:5] == (ClaimVerdict.OPEN, "it would take a week")
    with pytest.raises(
        ValueError, match="needs study, better, as many in than, and questions, or cannot, and not both"
    ):
        PaperClaim(claim="It is better", place="table 1", study="tiny", cannot="it would take a week")
