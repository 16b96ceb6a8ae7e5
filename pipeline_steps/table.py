"""Print the results of the active study."""

import shutil

import click

from pipeline_steps.command import study_command
from vaeline.report import answer, comparison, table
from vaeline.report.comparison import Comparison
from vaeline.runs.description import weights_of
from vaeline.runs.folder import StudyFolder, run_in
from vaeline.study.schema import Study
from vaeline.study.settings import differences, values
from vaeline.system.errors import UserError


@study_command
def main(study: Study) -> None:
    """Print the study's table of results, its answer, and the path of the report."""
    asked = study.study
    folder = StudyFolder(asked.name).path
    compared = comparison.read(folder / "comparison.json")
    if compared.study != asked.name:
        raise UserError(
            f"{folder / 'comparison.json'} has the results of the study {compared.study}, not of {asked.name}; run the study again."
        )
    if why := _why_of_before(compared, study):
        click.echo(f"These results are of {why}; `snakemake --cores 4 all` makes new ones.\n", err=True)
    click.echo(f"{asked.name}: {asked.question}\n" if asked.question else f"{asked.name}\n")
    click.echo(table.plain(compared, shutil.get_terminal_size((120, 24)).columns) + "\n")
    for name in answer.metrics(compared):
        click.echo("\n".join(answer.sentences(compared, name)))
    click.echo(f"\nReport: {folder / 'report.html'}")


def _why_of_before(compared: Comparison, study: Study) -> str:
    """What has changed since the results were written; empty if nothing has."""
    if (compared.variants, compared.seeds) != (study.study.variants, study.study.seeds):
        return "the variants and seeds that params.yaml contained before"
    now = values(study, compared.settings)
    if changed := [key for key in now if differences({key: compared.settings[key]}, {key: now[key]})]:
        return f"the {' and '.join(changed)} that params.yaml contained before"
    runs = StudyFolder(study.study.name).runs
    for variant, by_seed in compared.weights.items():
        for seed, weights in by_seed.items():
            if weights_of(run_in(runs, variant, seed)) != weights:
                return f"runs of before: {variant} seed {seed} was trained again, or is not there"
    return ""


if __name__ == "__main__":
    main()
