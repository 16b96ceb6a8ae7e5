"""Reproduce published results: train and measure what is missing, and say of each row whether ours equals the published value."""

import os
from collections.abc import Sequence
from pathlib import Path

import click

from pipeline_steps.command import command
from pipeline_steps.engines import refuse_beside_engines
from pipeline_steps.reproducing import Budget, OutOfTime, Task, hardware_of, measure
from vaeline.report import reproduced
from vaeline.report.provenance import environment
from vaeline.report.rendered_pages import KINDS, ROWS, rendered, text_of
from vaeline.report.reproduced import FOLDER, HEADINGS, Reproduced, RowValues
from vaeline.study.published_rows import FULL, PublishedRow, PublishedRows, read_rows
from vaeline.system.errors import UserError, shown, some_of
from vaeline.system.files import write_text
from vaeline.system.locks import locked
from vaeline.system.page_blocks import blocks

SHORT = 0.25  # CPU hours that need no budget
PAGE = Path("docs/reproduce.md")  # that shows the rows that are kept


@command
@click.argument("names", nargs=-1, metavar="[ROW]...")
@click.option("--minutes", type=float, help="Stop after this time; the next call goes on from there.")
@click.option("--source", help="The folder of the data set's files.")
@click.option("--fraction", type=float, help="Of the published length; if it is left out, as the row says.")
@click.option("--keep", is_flag=True, help="Also write what is finished to docs/reproduced.json and docs/reproduce.md.")
def main(names: tuple[str, ...], minutes: float | None, source: str | None, fraction: float | None, keep: bool) -> None:
    """Reproduce published results: of each row of studies/published.yaml, or of some, print pass, fail or not comparable.

    What is missing is trained and measured. A row that takes long takes several calls with --minutes.
    """
    _check_options(minutes, source, fraction)
    refuse_beside_engines()
    known = read_rows()
    if keep:
        _check_kept(known)
    rows = known.named(names).items()
    settings = known.settings
    tasks = [
        Task(name, row, settings[row.setting], fraction or settings[row.setting].fraction, source) for name, row in rows
    ]
    for task in tasks:
        _ = task.published, task.shortened  # read here, so that a mistake in settings is told before a missing folder
    with locked(FOLDER, "reproducing published results"):
        wanted = [task for task in tasks if names or _has_files(task)]
        missing = _print_finished(wanted)
        _refuse_long(missing, minutes)
        _reproduce(missing, Budget(minutes))
        done = [(task.row, _numbers(task, found)) for task in wanted if (found := _finished(task))]
        if keep:
            _keep([found for _, found in done], known)
    _refuse_failed(done)


def _check_kept(known: PublishedRows) -> None:
    """Check what is written at the end, so that a mistake there is found before rows are trained.

    Raises:
        UserError: a setting, the rows that are kept, or the marks of the page are wrong.
    """
    reproduced.settings_now(known)
    reproduced.kept_rows()
    if not any(block.kind == "rows" for block in blocks(PAGE, text_of(PAGE), KINDS)):
        raise UserError(
            f"{PAGE} has no block of rows; write `<!-- rows: {ROWS} -->` and `<!-- end of rows -->` into it."
        )


def _refuse_failed(done: Sequence[tuple[PublishedRow, Reproduced]]) -> None:
    """End with a sentence, and so with exit code 1, if a row does not hold.

    Raises:
        UserError: a row fails, or one whose answer is known is undecided.
    """
    said = {found.row: (row, reproduced.verdict(row, found).outcome) for row, found in done}
    failed = [
        name
        for name, (row, outcome) in said.items()
        if outcome == "fail" or (row.known is not None and outcome == "undecided")
    ]
    if failed:
        raise UserError(
            f"Not reproduced: {some_of(failed)}, as said above; look for what is wrong in our code or settings, or in the published value."
        )


def _check_options(minutes: float | None, source: str | None, fraction: float | None) -> None:
    if minutes is not None and not 0 < minutes < float("inf"):
        raise UserError(f"--minutes is {minutes}, but should be a finite number above 0; leave it out for no limit.")
    if fraction is not None and not 0 < fraction <= FULL:
        raise UserError(f"--fraction is {fraction}, but should be above 0 and at most 1, the published length.")
    if source is not None and not os.path.isdir(os.path.expanduser(source)):
        raise UserError(f"There is no folder {shown(source)}; SOURCE must be a folder with the files of the data set.")


def _has_files(task: Task) -> bool:
    """Whether the files of a row are there; says so if not."""
    if why := task.why_no_files():
        click.echo(why, err=True)
    return not why


def _print_finished(tasks: Sequence[Task]) -> list[Task]:
    """Print the rows that are finished; returns the others."""
    click.echo(" | ".join(HEADINGS))
    missing = []
    for task in tasks:
        found = _finished(task)
        if found is None:
            missing.append(task)
        else:
            _print(task, _numbers(task, found))
    return missing


def _finished(task: Task) -> RowValues | None:
    """What was measured for a row; None if it was of another study, manner, source or code."""
    _ = task.key  # of the code that this process runs, and not of a later edit
    if not reproduced.path_of(task.name).exists():
        return None
    found = reproduced.read(task.name)
    return found if task.is_of(found) else None


def _refuse_long(tasks: Sequence[Task], minutes: float | None) -> None:
    hours = sum({task.row.setting: task.hours for task in tasks}.values())
    if minutes is None and hours > SHORT:
        raise UserError(
            f"{some_of([task.name for task in tasks])} would take about {hours:.2g} h of CPU time; give MINUTES=<how long this call may run>, and call "
            "again until it is done, or fewer ROWS."
        )


def _reproduce(tasks: Sequence[Task], budget: Budget) -> None:
    """Train and measure rows; print each, and what is left if the time is up.

    Raises:
        UserError: a step failed, or what decides a row changed while it ran.
    """
    for place, task in enumerate(tasks):
        try:
            values = measure(task, budget)
        except OutOfTime as stopped:
            after = [other.name for other in tasks[place + 1 :]]
            also = f"; then {some_of(after)}" if after else ""
            click.echo(f"The time is up. Left: {stopped}{also}. {stopped.advice}")
            return
        if task.key_now() != task.key:
            raise UserError(f"The code or the data of row {task.name} changed while it was measured; run again.")
        epochs, commit = task.study.training.epochs, environment().get("commit", "")
        found = RowValues(
            row=task.name, key=task.key, epochs=epochs, values=values, commit=commit, hardware=hardware_of(task)
        )
        in_numbers = _numbers(task, found)
        reproduced.write(found)
        _print(task, in_numbers)


def _numbers(task: Task, found: RowValues) -> Reproduced:
    return reproduced.numbers(task.row, task.published, found)


def _print(task: Task, found: Reproduced) -> None:
    click.echo(" | ".join(reproduced.cells(task.row, found)))


def _keep(new: Sequence[Reproduced], known: PublishedRows) -> None:
    """Add finished rows to those that the repository has, and write its page anew."""
    kept, shorter, dropped = reproduced.joined(reproduced.kept_rows(), new, reproduced.settings_now(known))
    reproduced.write_kept(kept)
    write_text(PAGE, rendered(PAGE, text_of(PAGE)))
    if shorter:
        click.echo(f"Not replaced, since the kept training is longer: {some_of(shorter)}.")
    if dropped:
        click.echo(f"No longer kept, since their settings changed: {some_of(dropped)}.")


if __name__ == "__main__":
    main()
