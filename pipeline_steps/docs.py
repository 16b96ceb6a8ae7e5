"""Render the results that pages show, from docs/results and docs/claims.yaml."""

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import click

from pipeline_steps.command import command
from vaeline.report import claims_block, kept_results, paper_claims, results_block
from vaeline.report.kept_results import KeptResults
from vaeline.report.paper_claims import Papers
from vaeline.study import ready_studies
from vaeline.system.errors import UserError, instead_of, shown
from vaeline.system.files import write_text

RENDERED = "<!-- `make docs` renders this block; edits are lost. -->"
# A block is what lies between `<!-- results: digits -->` and `<!-- end of results -->`. What was typed there
# stays until results of the study are kept.
MARKS = re.compile(r"<!-- (results|claims): (\S*) -->\n(.*?)<!-- end of \1 -->", re.DOTALL)
BEGIN = re.compile(r"^<!-- (?:results|claims):.*-->$", re.MULTILINE)
COMMIT = re.compile(r"code of commit `(\w+)`")


@command
@click.option("--check", is_flag=True, help="Write nothing; refuse a page that shows something else than its results.")
def main(check: bool) -> None:
    """Render the results and the verdicts on claims that README.md and the pages of docs/ show between marks."""
    for page in pages():
        before = page.read_text(encoding="utf-8")
        after = rendered(page, before)
        if check and before != after:
            raise UserError(why_different(page, before, after))
        if before != after:
            write_text(page, after)
            click.echo(f"{page} is up to date now.")


def pages() -> list[Path]:
    """The pages of the project that may show results."""
    return [path for path in (Path("README.md"), *sorted(Path("docs").glob("*.md"))) if path.exists()]


def rendered(page: Path, text: str) -> str:
    """The text of a page with each block anew.

    Raises:
        UserError: a block has no end, or names a study or a paper that has no results, or results are damaged.
    """
    if len(BEGIN.findall(text)) != len(MARKS.findall(text)):
        raise UserError(
            f"{page} has a block of results that does not end, or has no name; write `<!-- end of results -->` under it."
        )
    return MARKS.sub(partial(_block, page), text)


def _block(page: Path, found: re.Match[str]) -> str:
    kind, name, before = found[1], found[2], found[3]
    if (
        kind == "results"
        and RENDERED not in before
        and name in ready_studies.names()
        and name not in kept_results.names()
    ):
        if before.strip():
            return found[0]
        content = f"`{name}`: no results are kept yet; {results_block.HOW.format(name)} keep them."
    else:
        content = f"{RENDERED}\n\n{_results(page, name) if kind == 'results' else _claims(page, name)}"
    return f"<!-- {kind}: {name} -->\n{content}\n\n<!-- end of {kind} -->"


def _results(page: Path, name: str) -> str:
    return results_block.block(kept_results.read(name, asks=f", which {page} shows,"), page)


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
    for shown_there, anew in zip(MARKS.finditer(before), MARKS.finditer(after), strict=True):
        if shown_there[0] == anew[0]:
            continue
        commits = [match[1] for match in (COMMIT.search(shown_there[0]), COMMIT.search(anew[0])) if match]
        what = f"the {anew[1]} of {anew[2]}"
        if len(set(commits)) > 1:
            return f"{page} shows {what} of commit {commits[0]}, and docs/results has those of {commits[1]}; run `make docs`."
        return f"{page} shows other numbers or words than {what} say; run `make docs`."
    return f"{page} differs; run `make docs`."


if __name__ == "__main__":
    main()
