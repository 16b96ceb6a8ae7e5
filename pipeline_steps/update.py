"""Write keys that are new in vaeline into a params.yaml of before, with their defaults, and rename those that have another name now."""

import click

from pipeline_steps.command import command
from vaeline.study import ready_studies
from vaeline.study.former_keys import renewed
from vaeline.study.reading import PARAMS, check, left_out, read_yaml
from vaeline.system.files import write_text


@command
def main() -> None:
    """Add every key that params.yaml lacks, with its default, and rename former ones. All values stay as they are; comments are replaced by ours."""
    content, renamed = renewed(read_yaml(PARAMS))
    study = check(content, PARAMS)
    added = left_out(content, study)
    if not added and not renamed:
        click.echo(f"{PARAMS} contains every key; nothing is added.")
        return
    write_text(PARAMS, ready_studies.as_yaml(study))
    for words, what in (("Renamed in", renamed), ("Added to", added)):
        if what:
            click.echo(f"{words} {PARAMS}: {', '.join(what)}.")


if __name__ == "__main__":
    main()
