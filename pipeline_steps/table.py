"""Print the results of the active study."""

import shutil
from itertools import product

import click

from pipeline_steps.command import study_command
from vaeline.data.paths import DataFiles
from vaeline.data.store import read_facts
from vaeline.report import answer, comparison, table
from vaeline.report.common_ground import CommonGround
from vaeline.report.comparison import Comparison
from vaeline.runs import description
from vaeline.runs.description import described, weights_of
from vaeline.runs.evaluation_file import read_evaluation
from vaeline.runs.folder import StudyFolder, run_in
from vaeline.study.schema import Study
from vaeline.study.settings import differences
from vaeline.study.step_settings import settings_of
from vaeline.system.errors import UserError, in_words


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
    if why := _why_out_of_date(compared, study):
        click.echo(f"These results are out of date: {why}; `snakemake --cores 4 all` makes new ones.\n", err=True)
    click.echo(f"{asked.name}: {asked.question}\n" if asked.question else f"{asked.name}\n")
    click.echo(table.plain(compared, shutil.get_terminal_size((120, 24)).columns) + "\n")
    for sentence in answer.about_claims(compared):
        click.echo(sentence)
    for name in compared.primary:
        click.echo("\n".join(answer.sentences(compared, name)))
    click.echo(f"\nReport: {folder / 'report.html'}")


def _why_out_of_date(compared: Comparison, study: Study) -> str:
    """What has changed since the results were written; empty if nothing has."""
    made = compared.settings | {"study": compared.model_dump(include={"variants", "seeds", "baseline", "looks"})}
    now = settings_of(study, "report") | {
        "study": study.study.model_dump(include={"variants", "seeds", "baseline", "looks"})
    }
    if changed := differences(made, now):
        return "; ".join(changed)
    return _why_of_other_runs(compared, study)


def _why_of_other_runs(compared: Comparison, study: Study) -> str:
    """Which run was made anew since the comparison, or does not fit the other runs or the data; empty if all are as they were."""
    runs, store = StudyFolder(study.study.name).runs, DataFiles(study.dataset.id).store
    try:
        common = CommonGround.on_disk(study, read_facts(store) if store.exists() else None)
        for variant, seed in product(compared.variants, compared.seeds):
            folder, words = run_in(runs, variant, seed), f"{variant} seed {seed} was"
            if weights_of(folder) != compared.weights[variant].get(seed):
                return f"{words} trained again, or is not there"
            made, measured = described(folder / description.NAME), read_evaluation(folder)
            if measured.checksum != compared.evaluations[variant].get(seed):
                return f"{words} evaluated again"
            common.admit(folder, made.facts, measured.of)
    except (UserError, OSError) as error:
        return str(in_words(error)).removesuffix(".")
    return ""


if __name__ == "__main__":
    main()
