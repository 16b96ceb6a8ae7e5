"""Write the reference of all keys of a study and of its parts, for readers and for editors."""

from pathlib import Path

import click

from pipeline_steps.command import command
from vaeline.evaluation.metrics_page import with_index
from vaeline.study import json_schema, keys_page
from vaeline.system.files import write_text

PAGE, METRICS = Path("docs/keys.md"), Path("docs/metrics.md")


@command
def main() -> None:
    """Write the pages of keys and metrics, and the JSON schemas; print the keys, and those of the project's own parts."""
    text = keys_page.document()
    write_text(PAGE, text)
    write_text(METRICS, with_index(METRICS.read_text(encoding="utf-8")))
    for path, schema in json_schema.files().items():
        write_text(path, schema)
    click.echo(text + keys_page.of_own_parts())


if __name__ == "__main__":
    main()
