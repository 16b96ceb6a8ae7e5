"""Print the results of the active study."""

import shutil

import click

from pipeline_steps.command import study_command
from vaeline.report import answer, comparison, table
from vaeline.runs.folder import StudyFolder
from vaeline.study.schema import Study


@study_command
def main(study: Study) -> None:
    """Print the study's table of results, its answer, and the path of the report."""
    asked = study.study
    folder = StudyFolder(asked.name).path
    compared = comparison.read(folder / "comparison.json")
    if (compared.variants, compared.seeds) != (asked.variants, asked.seeds):
        click.echo(
            "These results are of the variants and seeds that params.yaml contained before; `snakemake --cores 4 all` makes new ones.\n",
            err=True,
        )
    click.echo(f"{asked.name}: {asked.question}\n" if asked.question else f"{asked.name}\n")
    click.echo(table.plain(compared, shutil.get_terminal_size((120, 24)).columns) + "\n")
    for name in answer.metrics(compared):
        click.echo("\n".join(answer.sentences(compared, name)))
    click.echo(f"\nReport: {folder / 'report.html'}")


if __name__ == "__main__":
    main()
