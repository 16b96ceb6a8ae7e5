"""Choose the best trial of a variant."""

import click

from pipeline_steps.command import reads, variant_command
from vaeline.runs.tuning import write_choice
from vaeline.study.schema import Study


@variant_command
@reads("choose", code="choose")
def main(study: Study, variant: str) -> None:
    """Choose the trial with the lowest score of a variant, whose values its runs are trained with."""
    if choice := write_choice(study, variant).point:
        click.echo(f"{variant} is trained with {', '.join(f'{key}: {value}' for key, value in choice.items())}.")


if __name__ == "__main__":
    main()
