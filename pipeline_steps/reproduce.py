"""Reproduce published results: train and measure what is missing, and say of each row whether ours equals the published value."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from pipeline_steps.command import command
from pipeline_steps.engines import refuse_beside_engines
from pipeline_steps.reproducing import Budget, OutOfTime, Task, measure
from vaeline.report import reproduced
from vaeline.report.equivalence import Difference, Verdict, difference, verdict
from vaeline.report.estimates import RunValue
from vaeline.report.provenance import environment
from vaeline.report.reproduced import FOLDER, HEADINGS, Reproduced
from vaeline.study.published_rows import FULL, read_rows
from vaeline.system.errors import UserError, some_of
from vaeline.system.files import write_text
from vaeline.system.hardware import hardware
from vaeline.system.locks import locked
from vaeline.system.page_blocks import blocks, rewritten
from vaeline.system.sealed_files import read_sealed, write_sealed

SHORT = 0.25  # CPU hours that need no budget
KEPT, PAGE = Path("docs/reproduced.json"), Path("docs/reproduce.md")
BLOCK = "rows"  # the kind of the page's block that has the table


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
    if keep:
        page(PAGE.read_text(encoding="utf-8"), kept_rows())  # so that a mistake there is found before rows are trained
    refuse_beside_engines()
    known = read_rows()
    rows = known.named(names).items()
    settings = known.settings
    tasks = [
        Task(name, row, settings[row.setting], fraction or settings[row.setting].fraction, source) for name, row in rows
    ]
    with locked(FOLDER, "reproducing published results"):
        wanted = [task for task in tasks if names or _has_data(task)]
        missing = _print_finished(wanted)
        _refuse_long(missing, minutes)
        _reproduce(missing, Budget(minutes))
        if keep:
            _keep([found for task in wanted if (found := _finished(task))])


def _check_options(minutes: float | None, source: str | None, fraction: float | None) -> None:
    if minutes is not None and not 0 < minutes < float("inf"):
        raise UserError(f"--minutes is {minutes}, but should be above 0; leave it out for no limit.")
    if fraction is not None and not 0 < fraction <= FULL:
        raise UserError(f"--fraction is {fraction}, but should be above 0 and at most 1, the published length.")
    if source is not None and not Path(source).expanduser().is_dir():
        raise UserError(f"There is no folder {source}; SOURCE must be a folder with the files of the data set.")


def _has_data(task: Task) -> bool:
    try:
        return bool(task.key)
    except UserError as error:
        click.echo(str(error), err=True)
        return False


def _print_finished(tasks: Sequence[Task]) -> list[Task]:
    """Print the rows that are finished; returns the others."""
    click.echo(" | ".join(HEADINGS))
    missing = []
    for task in tasks:
        found = _finished(task)
        if found is None:
            missing.append(task)
        else:
            _print(found)
    return missing


def _finished(task: Task) -> Reproduced | None:
    """What was found of a row; None if it was of another row, study, source or code."""
    _ = task.key  # of the code that this process runs, and not of a later edit
    if not reproduced.path_of(task.name).exists():
        return None
    found = reproduced.read(task.name)
    return found if task.is_of(found) else None


def _refuse_long(tasks: Sequence[Task], minutes: float | None) -> None:
    hours = sum({task.row.setting: task.hours for task in tasks}.values())
    if minutes is None and hours > SHORT:
        raise UserError(
            f"{some_of([task.name for task in tasks])} would take about {hours:.2g} CPU hours; give MINUTES=<how long this call may run>, and call "
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
        found = judged(task, values)
        reproduced.write(found)
        _print(found)


def judged(task: Task, values: dict[str, list[dict[str, Any]]]) -> Reproduced:
    """What values say of a row.

    Args:
        task: the row.
        values: of each manner, one for each seed, as `measure` returns them.
    """
    published, row = values["published"], task.row
    apart = [each["apart"] if task.closed_form else each for each in published]
    known = _mean(each["known"] for each in published) if task.closed_form else float(row.value)
    runs = [RunValue(each["value"], each["parts"]) for each in apart]
    found = difference(runs, [each["standard_error"] for each in apart], 0.0 if task.closed_form else known, row.error)
    said, modes = (
        _verdict(task, found, next((each["saturated"] for each in published if each["saturated"]), "")),
        values.get("around_modes", []),
    )
    return Reproduced(
        row=task.name, key=task.key, metric=row.metric, published=known, closed_form=task.closed_form, error=row.error,
        margin=row.margin, source=row.source, verified=row.verified, notes=row.notes, epochs=task.study.training.epochs,
        of_epochs=task.of_epochs, seeds=task.setting.seeds, ours=_mean(each["value"] for each in published),
        images=published[0]["images"], data=_data(published), difference=found.value, half_width=found.half_width, over=list(found.over),
        around_modes=_mean(each["value"] for each in modes) if modes else None,
        around_modes_bound=next((each["upper_bound"] for each in modes if each["upper_bound"]), ""),
        outcome=said.outcome, reason=said.reason, commit=environment().get("commit", ""), hardware=hardware(),
    )  # fmt: skip


def _data(published: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The checksums of the images that were measured.

    Raises:
        UserError: they are not the same under each seed, because the store was replaced in between.
    """
    first, *others = [dict(each["of"]["data"]) for each in published]
    if any(other != first for other in others):
        raise UserError("The images of the row changed while its seeds were measured; run again.")
    return first


def _verdict(task: Task, found: Difference, saturated: str) -> Verdict:
    if task.row.differs:
        return Verdict("not comparable", task.row.differs)
    if not task.whole:
        return Verdict("not comparable", f"trained for {task.study.training.epochs:,} of {task.of_epochs:,} epochs")
    if saturated:
        return Verdict("not comparable", saturated)
    return verdict(found, task.row.margin)


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / len(found)


def _print(found: Reproduced) -> None:
    click.echo(" | ".join(reproduced.cells(found)))


def _keep(rows: Sequence[Reproduced]) -> None:
    """Add finished rows to those that the repository has, and write its page anew. A shorter training replaces no longer one."""
    kept = {each.row: each for each in sorted((*kept_rows(), *rows), key=lambda each: each.epochs)}
    order = [name for name in read_rows().rows if name in kept]
    text = page(PAGE.read_text(encoding="utf-8"), [kept[name] for name in order])
    write_sealed(KEPT, {"rows": [kept[name].model_dump() for name in order]})
    write_text(PAGE, text)


def kept_rows() -> list[Reproduced]:
    """The rows that the repository has.

    Raises:
        UserError: their file is damaged.
    """
    again = f"restore it by `git checkout {KEPT}`"
    rows = read_sealed(KEPT, again)["rows"] if KEPT.exists() else []
    return [reproduced.validated(KEPT, each, again) for each in rows]


def page(text: str, rows: Sequence[Reproduced]) -> str:
    """The page with its table written anew.

    Raises:
        UserError: the page has no block for the table, or several, or the block does not end.
    """
    found = blocks(PAGE, text, [BLOCK])
    if len(found) != 1:
        raise UserError(
            f"{PAGE} has {len(found)} blocks of rows, but should have one; write `<!-- rows: NAME -->` and `<!-- end of rows -->` once."
        )
    return rewritten(text, found, lambda block: f"\n{reproduced.markdown(rows)}\n")


if __name__ == "__main__":
    main()
