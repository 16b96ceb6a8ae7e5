"""Render the results that pages show, from docs/results and docs/claims.yaml."""

import click

from pipeline_steps.command import command
from vaeline.report.rendered_pages import pages, rendered, text_of, why_different
from vaeline.system.errors import UserError
from vaeline.system.files import write_text


@command
@click.option("--check", is_flag=True, help="Write nothing; refuse a page that shows something else than its results.")
def main(check: bool) -> None:
    """Render the results and the verdicts on claims that README.md and the pages of docs/ show between marks."""
    texts = {page: text_of(page) for page in pages()}
    changed = {page: after for page, before in texts.items() if (after := rendered(page, before)) != before}
    if check and changed:
        raise UserError("\n".join(why_different(page, texts[page], after) for page, after in changed.items()))
    for page, after in changed.items():  # only now, so that a mistake in any page changes none
        write_text(page, after)
        click.echo(f"{page} is up to date now.")


if __name__ == "__main__":
    main()
