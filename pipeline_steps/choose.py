"""Choose the best trial of a variant."""

import click

from pipeline_steps.command import reads, variant_command
from vaeline.runs.folder import StudyFolder
from vaeline.runs.former_runs import move_former_trials
from vaeline.runs.tuning import write_choice
from vaeline.study.schema import Study


@variant_command
@reads("choose", code="choose")
def main(study: Study, variant: str) -> None:
    """Choose the trial with the lowest score of a variant, whose values its runs are trained with."""
    where = StudyFolder(study.study.name)
    for trial in move_former_trials(where.design(variant).parent, study.tuning.trials, where.former / variant):
        click.echo(f"params.yaml no longer names this trial, which is kept in {trial}.")
    if choice := write_choice(study, variant).point:
        click.echo(f"{variant} is trained with {', '.join(f'{key}: {value}' for key, value in choice.items())}.")


if __name__ == "__main__":
    main()
