"""The claims of a paper as a block of a Markdown page: a line for each, with what decides it and its verdict."""

from collections import Counter
from collections.abc import Mapping

from vaeline.evaluation.catalogue import catalogue
from vaeline.report.claim_verdicts import Answer, Verdict, answers
from vaeline.report.kept_results import SHOWN_OF_COMMIT, KeptResults
from vaeline.report.paper_claims import PaperClaim, Papers
from vaeline.report.results_block import how_to_keep, length, table
from vaeline.report.table import ARROWS

WORDS = {  # of one verdict, of several
    Verdict.STANDS: ("stands", "stand"),
    Verdict.FALLS: ("does not stand", "do not stand"),
    Verdict.OPEN: ("cannot be decided here",) * 2,
    Verdict.NOT_RUN: ("is not run yet", "are not run yet"),
}
NEW_LINE = "<br>"  # in a cell
HEAD = ["claim", "in the paper", "metric", "published", "here: difference, adjusted interval", "verdict"]


def block(papers: Papers, name: str, kept: Mapping[str, KeptResults]) -> str:
    """The claims of a paper.

    Args:
        papers: all claims, since those of one study are adjusted together.
        name: of the paper.
        kept: study of `studies/` -> its results, if they are kept.
    """
    found = [(claim, answers(papers, claim, kept.get(claim.study))) for claim in papers[name].claims]
    counts = Counter(answer.verdict for _, of_claim in found for answer in of_claim)
    verdicts = ", ".join(
        f"{counts[verdict]} {WORDS[verdict][counts[verdict] > 1]}" for verdict in Verdict if counts[verdict]
    )
    lines = [_line(claim, of_claim) for claim, of_claim in found]
    studies = list(dict.fromkeys(claim.study for claim, _ in found if claim.study))
    made = [f"- {_made_with(study, kept.get(study))}" for study in studies]
    return "\n\n".join(
        filter(None, [f"Of {counts.total()} comparisons, {verdicts}.", table([HEAD, *lines]), "\n".join(made)])
    )


def _line(claim: PaperClaim, found: list[Answer]) -> list[str]:
    two = f"`{claim.better}` against {'' if claim.factor == 1 else f'{claim.factor:g} times '}`{claim.than}`"
    if len(claim.first) > 1:
        two = f"mean of {len(claim.first)} pairs"
    said = claim.claim if claim.cannot else f"{claim.claim}: {two} (`{claim.study}`)"
    columns = [
        [_metric(each.metric) for each in found],
        [each.published or "-" for each in found],
        [each.ours or "-" for each in found],
        [f"**{each.verdict}**{f': {each.why}' if each.why else ''}" for each in found],
    ]
    if len(set(columns[-1])) == 1 and found[0].verdict is Verdict.NOT_RUN:
        columns[-1] = columns[-1][:1]  # not the same words in each line
    return [said, claim.place, *(NEW_LINE.join(column) for column in columns)]


def _made_with(study: str, kept: KeptResults | None) -> str:
    """Where the numbers of a study are from, or how to get them."""
    if kept is None:
        return f"`{study}`: not run yet; {how_to_keep(study)} decide its claims."
    facts = [f"{len(kept.comparison.seeds)} seeds", length(kept), f"code of commit `{kept.commit[:SHOWN_OF_COMMIT]}`"]
    return f"`{study}`: results of `{kept.study}`, {', '.join(facts)}."


def _metric(name: str) -> str:
    """A metric with its arrow; several names are those of a study that is not run yet."""
    known = catalogue().metrics.get(name)
    return " ".join(filter(None, [f"`{name}`", ARROWS[known.better] if known else ""])) if name else "-"
