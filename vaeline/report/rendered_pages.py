"""The pages that show kept results, verdicts on claims, and reproduced rows, in blocks between marks."""

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from vaeline.report import claims_block, kept_results, paper_claims, reproduced, results_block
from vaeline.report.kept_results import KeptResults
from vaeline.report.paper_claims import Papers
from vaeline.study import ready_studies
from vaeline.study.published_rows import read_rows
from vaeline.system.errors import UserError, instead_of, reason, shown
from vaeline.system.page_blocks import Block, blocks, rewritten

RENDERED = "<!-- `make docs` renders this block; edits are lost. -->"
KINDS = ("results", "claims", "tally", "rows")  # of blocks
ROWS, TALLY = "reproduced", "papers"  # the one name of a block of rows, and of a tally
COMMIT = re.compile(r"code of commit `(\w+)`")


def pages() -> list[Path]:
    """The pages of the project that may show results."""
    return [path for path in (Path("README.md"), *sorted(Path("docs").glob("*.md"))) if path.exists()]


def text_of(page: Path) -> str:
    """The text of a page.

    Raises:
        UserError: it is not UTF-8.
    """
    try:
        return page.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{page} is not UTF-8 ({reason(error)}); save it as UTF-8.") from error


def rendered(page: Path, text: str) -> str:
    """The text of a page with each block anew.

    Raises:
        UserError: the marks of a block are wrong, it names a study or a paper that has no results, or results are damaged.
    """
    return rewritten(text, blocks(page, text, KINDS), partial(_content, page))


def _content(page: Path, block: Block) -> str:
    if block.name != (only := {"rows": ROWS, "tally": TALLY}.get(block.kind, block.name)):
        raise UserError(f"{page} shows the {block.kind} {shown(block.name)}; there are: {only}.")
    if block.kind == "rows":
        return f"{RENDERED}\n\n{_rows()}\n\n"
    if block.kind == "claims":
        return f"{RENDERED}\n\n{_claims(page, block.name)}\n\n"
    if block.kind == "tally":
        papers = paper_claims.load()
        return f"{RENDERED}\n\n{claims_block.tally(papers, _kept(papers))}\n\n"
    if not _waits(block):
        return f"{RENDERED}\n\n{_results(page, block.name)}\n\n"
    if block.content.strip():
        return block.content
    return f"`{block.name}`: no results are kept yet; {results_block.how_to_keep(block.name)} keep them.\n\n"


def _rows() -> str:
    """The table of reproduced rows.

    Raises:
        UserError: there are none, or one was measured with other settings than it has now.
    """
    if not reproduced.KEPT.exists():  # which would empty the page without a word
        raise UserError(
            f"There is no {reproduced.KEPT}; restore it by `git checkout {reproduced.KEPT}`, or run `make reproduce KEEP=1`."
        )
    known, kept = read_rows(), reproduced.kept_rows()
    reproduced.require_settings(kept, known)
    return reproduced.markdown(known.rows, kept)


def _waits(block: Block) -> bool:
    """Whether a block of results keeps what was typed into it, since none of its study were ever kept."""
    known = block.name in ready_studies.names()
    return known and block.name not in kept_results.names() and RENDERED not in block.content


def _results(page: Path, name: str) -> str:
    kept = kept_results.read(name, asks=f", which {page} shows,")
    papers = paper_claims.load() if paper_claims.FILE.exists() else {}  # a project of its own studies has none
    asked = [question.metric_of(kept.measured) for _, question in paper_claims.asked_of(papers, name)]
    return results_block.block(kept, page, asked)


def _claims(page: Path, name: str) -> str:
    papers = paper_claims.load()
    if name not in papers:
        raise UserError(f"{page} shows the claims of the paper {shown(name)}; {instead_of(name, papers, 'there are')}.")
    return claims_block.block(papers, name, _kept(papers))


def _kept(papers: Papers) -> Mapping[str, KeptResults]:
    """The results of the studies that claims name, as far as they are kept."""
    asked = {claim.study for paper in papers.values() for claim in paper.claims}
    return {name: kept_results.read(name) for name in kept_results.names() if name in asked}


def why_different(page: Path, before: str, after: str) -> str:
    """How a page differs from what its results say, as a sentence."""
    for shown_there, anew in zip(blocks(page, before, KINDS), blocks(page, after, KINDS), strict=True):
        if shown_there.content == anew.content:
            continue
        commits = [match[1] for match in (COMMIT.search(shown_there.content), COMMIT.search(anew.content)) if match]
        what = f"the {anew.kind} of {anew.name}"
        if len(set(commits)) > 1:
            return f"{page} shows {what} of commit {commits[0]}, and docs/results has those of {commits[1]}; run `make docs`."
        return f"{page} shows other numbers or words than {what} say; run `make docs`."
    return f"{page} differs; run `make docs`."
