"""Write the reference of all keys of a study and of its parts."""

from pathlib import Path

import click

from pipeline_steps.command import command
from vaeline.study import keys_page
from vaeline.system.files import write_text

PAGE = Path("docs/keys.md")


@command
def main() -> None:
    """Write docs/keys.md, and print it."""
    text = keys_page.document()
    write_text(PAGE, text)
    click.echo(text)


if __name__ == "__main__":
    main()
