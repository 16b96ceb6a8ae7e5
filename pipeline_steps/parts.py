"""Write the reference of all keys of a study and of its parts."""

from pathlib import Path

import click

from pipeline_steps.command import command
from vaeline.evaluation.metrics_page import with_index
from vaeline.study import keys_page
from vaeline.system.files import write_text

PAGE, METRICS = Path("docs/keys.md"), Path("docs/metrics.md")


@command
def main() -> None:
    """Write docs/keys.md and the index of docs/metrics.md; print the former, and the keys of the project's own parts."""
    text = keys_page.document()
    write_text(PAGE, text)
    write_text(METRICS, with_index(METRICS.read_text(encoding="utf-8")))
    click.echo(text + keys_page.of_own_parts())


if __name__ == "__main__":
    main()
