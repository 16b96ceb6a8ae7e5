"""Write the reference of every key of a study and of every part."""

from pathlib import Path

import click

from pipeline_steps.command import command
from vaeline.evaluation.metrics_page import with_index
from vaeline.study import keys_page
from vaeline.system.files import write_text

PAGE, METRICS = Path("docs/keys.md"), Path("docs/metrics.md")


@command
def main() -> None:
    """Write docs/keys.md and the index of docs/metrics.md, and print the former."""
    text = keys_page.document()
    write_text(PAGE, text)
    write_text(METRICS, with_index(METRICS.read_text(encoding="utf-8")))
    click.echo(text)


if __name__ == "__main__":
    main()
