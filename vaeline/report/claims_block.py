"""The claims of a paper as a block of a Markdown page: a line for each, with what decides it and its verdict."""

from collections import Counter
from collections.abc import Mapping

from vaeline.evaluation.catalogue import catalogue
from vaeline.report.claim_verdicts import Answer, ClaimVerdict, answers
from vaeline.report.kept_results import KeptResults
from vaeline.report.paper_claims import Paper, PaperClaim, Papers, Question, asked_of
from vaeline.report.results_block import commits, how_to_keep, length, table, worse_than_gaussian
from vaeline.report.table import ARROWS
from vaeline.report.words import counted, listed

NEW_LINE = "<br>"  # in a cell
NEEDS_TWO = "†"  # of a verdict that one family of all that is claimed of a study would leave open
WORDS = {  # of one verdict, of several
    ClaimVerdict.STANDS: ("stands", "stand"),
    ClaimVerdict.FALLS: ("does not stand", "do not stand"),
    ClaimVerdict.OPEN: ("cannot be decided here",) * 2,
    ClaimVerdict.NOT_RUN: ("is not run yet", "are not run yet"),
}
Answered = list[tuple[PaperClaim, list[Answer]]]  # each claim with an answer for each of its questions
HEAD = ["claim", "in the paper", "metric", "published", "here: difference, adjusted interval", "verdict"]


def block(papers: Papers, name: str, kept: Mapping[str, KeptResults]) -> str:
    """The claims of a paper.

    Args:
        papers: all claims, since those of one study are adjusted together.
        name: of the paper.
        kept: study of `studies/` -> its results, if they are kept.
    """
    answered = _answered(papers, name, kept)
    needing = sum(answer.needs_two for _, of_claim in answered for answer in of_claim)
    summary = _verdicts_in_words(answered)
    if needing:
        summary += f" If all that is claimed of a study were adjusted as one family, {counted(needing, 'verdict')} would be open ({NEEDS_TWO})."
    lines = [_line(claim, of_claim) for claim, of_claim in answered]
    studies = list(dict.fromkeys(claim.study for claim, _ in answered if claim.study))
    made = [f"- {_made_with(study, kept.get(study), papers[name])}" for study in studies]
    return "\n\n".join(filter(None, [summary, table([HEAD, *lines]), "\n".join(made)]))


def tally(papers: Papers, kept: Mapping[str, KeptResults]) -> str:
    """How often each verdict was reached on the claims of all papers, without our own questions.

    Args:
        papers: all claims.
        kept: study of `studies/` -> its results, if they are kept.
    """
    names = [name for name, paper in papers.items() if not paper.ours]
    return _verdicts_in_words([each for name in names for each in _answered(papers, name, kept)])


def _answered(papers: Papers, name: str, kept: Mapping[str, KeptResults]) -> Answered:
    return [(claim, answers(papers, claim, kept.get(claim.study))) for claim in papers[name].claims]


def _verdicts_in_words(answered: Answered) -> str:
    """`3 claims, 1 of which none of our studies tests. Of 4 comparisons: 1 stands, 3 cannot be decided here.` A claim in two metrics is two comparisons."""
    compared = [of_claim for claim, of_claim in answered if not claim.cannot]
    counts = Counter(answer.verdict for of_claim in compared for answer in of_claim)
    verdicts = ", ".join(f"{counts[each]} {WORDS[each][counts[each] > 1]}" for each in ClaimVerdict if counts[each])
    without = len(answered) - len(compared)
    claims = counted(len(answered), "claim") + (f", {without} of which none of our studies tests" if without else "")
    return f"{claims}. Of {counted(counts.total(), 'comparison')}: {verdicts}." if compared else f"{claims}."


def _line(claim: PaperClaim, found: list[Answer]) -> list[str]:
    questions: list[Question | None] = [*claim.questions] or [None]
    columns = [
        [_metric(each.metric, question) for each, question in zip(found, questions, strict=True)],
        [each.published or "-" for each in found],
        [each.ours or "-" for each in found],
        [_verdict(each) for each in found],
    ]
    if len(set(columns[-1])) == 1 and found[0].verdict is ClaimVerdict.NOT_RUN:
        columns[-1] = columns[-1][:1]  # not the same words in each line
    return [_said(claim), claim.place, *(NEW_LINE.join(column) for column in columns)]


def _said(claim: PaperClaim) -> str:
    """A claim, what is compared for it, and what of that is ours."""
    two = f"`{claim.better}` against {'' if claim.factor == 1 else f'{claim.factor:g} times '}`{claim.than}`"
    if claim.first[1:]:
        two = f"mean of ln ratios over {len(claim.first)} pairs"
    said = claim.claim if claim.cannot else f"{claim.claim}: {two} (`{claim.study}`)"
    return f"{said}; {claim.note}" if claim.note else said


def _verdict(answer: Answer) -> str:
    """A verdict with its mark, what the kernel distance says, and why the claim is open."""
    mark = f" {NEEDS_TWO}" if answer.needs_two else ""
    unbiased = f" ({answer.unbiased})" if answer.unbiased else ""
    return f"**{answer.verdict}**{mark}{unbiased}{f': {answer.why}' if answer.why else ''}"


def _made_with(study: str, kept: KeptResults | None, paper: Paper) -> str:
    """Where the numbers of a study are from, or how to get them."""
    if kept is None:
        return f"`{study}`: not run yet; run {how_to_keep(study)}."
    facts = [counted(len(kept.comparison.seeds), "seed"), length(kept), *commits(kept)]
    return f"`{study}`: results of `{kept.study}`, {', '.join(facts)}.{_where_one_gaussian_wins(study, kept, paper)}"


def _where_one_gaussian_wins(study: str, kept: KeptResults, paper: Paper) -> str:
    """The metrics that a paper asks of a study in which a Gaussian over pixels is better than every variant; empty if none."""
    asked = {question.metric_of(kept.measured) for _, question in asked_of({"": paper}, study)}
    everywhere = [
        f"`{name}`"
        for name in sorted(asked & kept.comparison.metrics.keys())
        if len(worse_than_gaussian(kept.comparison, name)) == len(kept.comparison.variants)
    ]
    return f" In {listed(everywhere)}, the pixel Gaussian is better than every variant." if everywhere else ""


def _metric(name: str, question: Question | None) -> str:
    """A metric with its arrow, or with the value that it is to be near; several names are those of a study that is not run yet."""
    if question is None or not name:
        return "-"
    if question.target is not None:
        return f"distance of `{name}` from {question.target:g} {ARROWS['lower']}"
    known = catalogue().metrics.get(name)
    return " ".join(filter(None, [f"`{name}`", ARROWS[known.better] if known else ""]))
