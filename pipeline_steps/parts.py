"""Write the reference of all keys of a study and of its parts, for readers and for editors."""

from pathlib import Path

import click

from pipeline_steps.command import command
from vaeline.evaluation.metrics_page import PAGE as METRICS
from vaeline.evaluation.metrics_page import with_index
from vaeline.study import json_schema, keys_page
from vaeline.system.files import write_text

PAGE = Path("docs/keys.md")


@command
def main() -> None:
    """Write the pages of keys and metrics, and the JSON schemas; print the keys, and those of the project's own parts."""
    text = keys_page.document()
    pages = {PAGE: text, METRICS: with_index(METRICS.read_text(encoding="utf-8")), **json_schema.files()}
    for path, content in pages.items():  # only now, so that a mistake in any page changes none
        write_text(path, content)
    click.echo(text + keys_page.of_own_parts())


if __name__ == "__main__":
    main()
