"""Write keys that are new in vaeline into a params.yaml of before, with their defaults."""

import click

from pipeline_steps.command import command
from vaeline.study import ready_studies
from vaeline.study.reading import PARAMS, check, left_out, read_yaml
from vaeline.system.files import write_text


@command
def main() -> None:
    """Add every key that params.yaml lacks, with its default. All values stay as they are; comments are replaced by ours."""
    content = read_yaml(PARAMS)
    study = check(content, PARAMS)
    added = left_out(content, study)
    if not added:
        click.echo(f"{PARAMS} contains every key; nothing is added.")
        return
    write_text(PARAMS, ready_studies.as_yaml(study))
    click.echo(f"Added to {PARAMS}: {', '.join(added)}.")


if __name__ == "__main__":
    main()
