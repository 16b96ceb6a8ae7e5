"""Print the results of the active study, of another one, or of a run."""

import shutil
from itertools import product
from pathlib import Path

import click

from pipeline_steps import colours
from pipeline_steps.command import command
from vaeline.data.paths import DataFiles
from vaeline.data.store import read_facts
from vaeline.report import answer, comparison, exports, outdated, table
from vaeline.report.common_ground import CommonGround
from vaeline.report.comparison import Comparison
from vaeline.report.rows import Row, metrics_of
from vaeline.report.text_table import aligned
from vaeline.runs.description import described, weights_of
from vaeline.runs.evaluation_file import read_evaluation
from vaeline.runs.folder import COMPARISON, DESCRIPTION, EVALUATION, REPORT, WEIGHTS, StudyFolder, run_in
from vaeline.study.reading import load
from vaeline.study.schema import Study
from vaeline.system.errors import UserError, in_words

OF_RUN = (DESCRIPTION, EVALUATION, WEIGHTS)  # a folder with one of them is that of a run


@command
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "csv", "latex"]),
    default="text",
    show_default=True,
    help="csv has every number to the last digit; latex has the main metrics, with the package booktabs.",
)
@click.option(
    "--comparisons", is_flag=True, help="Print the differences of variants, two by two, in place of the means."
)
@click.option("--brief", is_flag=True, help="Leave out all but the main metrics, as `vaeline run` does.")
def main(folder: Path | None, form: str, comparisons: bool, brief: bool) -> None:
    """Print the answer of the active study, its table of results, and the path of the report.

    FOLDER is the results of another study, such as results/digits, or a run, such as results/digits/runs/cvae/seed-0. They need no project.
    """
    if folder is not None and any((folder / name).exists() for name in OF_RUN):
        _print_run(folder, form, comparisons)
        return
    compared, title, where = _active(load()) if folder is None else _of_folder(folder)
    if brief and (form != "text" or comparisons):
        raise UserError("--brief is a form of the table as text; leave out --format and --comparisons, or --brief.")
    if form == "text" and not comparisons:
        _print_study(compared, title, where, brief)
    else:
        click.echo(_exported(compared, form, comparisons), nl=False)


def _of_folder(folder: Path) -> tuple[Comparison, str, Path]:
    """What a folder of results found, its title, and the folder."""
    if not (folder / COMPARISON).exists():
        raise UserError(
            f"{folder} has neither a {COMPARISON} nor the files of a run; give the results of a study, such as results/digits, or a run, such as "
            "results/digits/runs/cvae/seed-0."
        )
    compared = comparison.read(folder / COMPARISON)
    return compared, compared.study, folder


def _exported(compared: Comparison, form: str, comparisons: bool) -> str:
    if comparisons:
        made = {
            "csv": exports.comparisons_as_csv,
            "latex": exports.comparisons_as_latex,
            "text": exports.comparisons_as_text,
        }
        return made[form](compared)
    if form == "csv":
        return exports.as_csv(compared)
    return exports.as_latex(compared, table.first_rows(table.rows(compared), compared.primary))


def _active(study: Study) -> tuple[Comparison, str, Path]:
    asked = study.study
    folder = StudyFolder(asked.name).path
    compared = comparison.read(folder / COMPARISON)
    if compared.study != asked.name:
        raise UserError(
            f"{folder / COMPARISON} has the results of the study {compared.study}, not of {asked.name}; run the study again."
        )
    if why := _why_out_of_date(compared, study):
        click.echo(f"These results are out of date: {why}; `make run` makes new ones.\n", err=True)
    return compared, f"{asked.name}: {asked.question}" if asked.question else asked.name, folder


def _print_study(compared: Comparison, title: str, folder: Path, brief: bool) -> None:
    """Print the answer before the table, since the table of a large study fills the screen."""
    painted = colours.wanted()
    click.echo(click.style(title, bold=True) + "\n", color=painted)
    for sentence in answer.about_claims(compared):
        click.echo(sentence)
    for name in compared.primary:
        click.echo("\n".join(answer.sentences(compared, name)))
    set_as = table.brief if brief else table.plain
    text = set_as(compared, shutil.get_terminal_size((120, 24)).columns)
    click.echo(f"\n{colours.paint(text, compared.primary)}\n", color=painted)
    if (folder / REPORT).exists():
        click.echo(f"Report: {folder / REPORT}" + "; all metrics: `make table`" * brief)


def _print_run(folder: Path, form: str, comparisons: bool) -> None:
    """Print the metrics of a run, a line each. They compare nothing.

    Raises:
        UserError: comparisons or a table of variants is asked for.
    """
    if comparisons or form == "latex":
        raise UserError(
            f"{folder} is one run, which compares nothing; give the results of a study, such as results/digits, or take --format csv."
        )
    if form == "csv":
        rows = metrics_of(folder)
        click.echo(exports.written([*rows[0]], [[*row.values()] for row in rows]), nl=False)
        return
    rows, made = metrics_of(folder), described(folder / DESCRIPTION)
    title = f"{made.name} seed {made.seed} of the study {made.study}"
    click.echo(click.style(title, bold=True) + "\n", color=colours.wanted())
    click.echo("\n".join(aligned([_cells(row) for row in rows], "<><")))


def _cells(row: Row) -> tuple[str, str, str]:
    """Name, value, and the rest: standard error and unit, or why there is no value."""
    value, error = row["value"], row["standard_error"]
    better = row["better"] if isinstance(row["better"], str) else None
    name = f"{row['metric']} {table.ARROWS[better]}".strip()
    if not isinstance(value, int | float):
        return name, "-", str(row["dash"] or "")
    spread = float(error) if isinstance(error, int | float) else None
    rest = " ".join(filter(None, [table.in_brackets("s.e.", spread), str(row["unit"])]))
    return name, table.number(float(value), spread), rest


def _why_out_of_date(compared: Comparison, study: Study) -> str:
    """What has changed since the results were written; empty if nothing has."""
    if changed := outdated.changes(compared, study):
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
            made, measured = described(folder / DESCRIPTION), read_evaluation(folder)
            if measured.checksum != compared.evaluations[variant].get(seed):
                return f"{words} evaluated again"
            common.admit(folder, made.facts, measured.of)
    except (UserError, OSError) as error:
        return str(in_words(error)).removesuffix(".")
    return ""


if __name__ == "__main__":
    main()
