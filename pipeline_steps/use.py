"""Make a study of `studies/` the active one: write it, fully resolved, to params.yaml."""

import os
import subprocess
import sys
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import click

from pipeline_steps.command import command
from pipeline_steps.engines import refuse_beside_engines
from pipeline_steps.running import RUNNING
from vaeline.data import raw_images
from vaeline.runs.folder import RESULTS
from vaeline.study import ready_studies
from vaeline.study.reading import PARAMS, parse_yaml, read_yaml
from vaeline.study.schema import Study
from vaeline.study.settings import differences, values
from vaeline.study.step_settings import READS
from vaeline.system.errors import UserError, some_of
from vaeline.system.files import write_text

UNSAVED = Path(RESULTS, "unsaved")  # what was in the way of restored results and is not in DVC's cache


@command
@click.argument("name", required=False, shell_complete=lambda ctx, param, start: _starting(start))
@click.option("--quick", is_flag=True, help="Apply the study's quick overlay: a small study for a first look on a CPU.")
@click.option("--source", help="A folder with the data set's files; it replaces the study's dataset.source.")
def main(name: str | None, quick: bool, source: str | None) -> None:
    """Make the study NAME of studies/ the active one, and restore its results as far as they are cached."""
    if name is None:
        raise UserError(f"Name a study, as in `make use STUDY=digits`; there are: {', '.join(ready_studies.names())}.")
    refuse_beside_engines()
    chosen = ready_studies.resolve(name, quick)
    here = from_source(chosen, source) if source else chosen
    if source and not raw_images.folder(here.dataset).is_dir():
        raise UserError(f"There is no folder {source}; SOURCE must be a folder with the files of the data set.")
    every = ready_studies.every()
    _check_data_ids(chosen, every)
    _check_edits_are_kept(every)
    record_interrupted_run()
    write_text(PARAMS, ready_studies.as_yaml(here))
    click.echo(f"params.yaml now contains the study {chosen.study.name}.")
    restore_results()


def _starting(start: str) -> list[str]:
    """The studies that a shell completes a word to."""
    return [name for name in ready_studies.names() if name.startswith(start)]


def restore_results() -> None:
    """Check out the results of the active study from DVC's cache, and remove those of other studies that are in the cache.

    Files in the way that are not in the cache are moved aside, since DVC would restore nothing, or delete them.
    """
    done = _checkout()
    if unsaved := _unsaved(done.stderr):
        aside = UNSAVED / f"{datetime.now():%Y-%m-%dT%H%M%S}"
        for path in unsaved:
            (aside / path).parent.mkdir(parents=True, exist_ok=True)
            path.rename(aside / path)
        names = some_of([str(path) for path in unsaved], 3)
        click.echo(
            f"DVC's cache does not have {names}; they would be replaced or removed, and are kept in {aside}.", err=True
        )
        done = _checkout()
    _remove_empty_folders()
    if done.returncode:
        # A warning about a file that has not been made yet is no error.
        said = [line for line in done.stderr.splitlines() if not line.startswith("WARNING")]
        reason = " ".join(" ".join(said).split()) or "it gave no reason"
        click.echo(f"DVC did not restore all results ({reason}); a run makes what is missing.", err=True)


def _checkout() -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dvc", "checkout", "--allow-missing"]
    # Without a terminal to ask on, DVC names all files at once that it would remove.
    return subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)


def _unsaved(said: str) -> list[Path]:
    """The files of this project that DVC refuses to remove without a confirmation, relative to its root."""
    _, found, after = said.partition("unsaved files without confirmation")
    root = Path.cwd()
    paths = [Path(line.strip()) for line in after.splitlines()[1:]] if found else []
    return [path.relative_to(root) for path in paths if path.is_relative_to(root) and path.is_file()]


def record_interrupted_run() -> None:
    """Let DVC record what a run of Snakemake finished that was killed, so that its results are in the cache."""
    if RUNNING.exists():
        done = subprocess.run([sys.executable, "-m", "workflow.records", "--record"], capture_output=True, text=True)
        if done.returncode:
            reason = " ".join(done.stderr.split())
            click.echo(f"What the interrupted run finished could not be recorded ({reason}).", err=True)


def _remove_empty_folders() -> None:
    """Remove the folders that DVC has made for runs that it cannot restore, which the report would take for former runs."""
    for runs in Path(RESULTS).glob("*/runs"):
        for folder, _, _ in os.walk(runs, topdown=False):
            with suppress(OSError):  # it is not empty
                os.rmdir(folder)


def from_source(study: Study, source: str) -> Study:
    """The study with its data read from the folder `source`, which is written whole: a temporary experiment of DVC runs elsewhere."""
    whole = os.path.abspath(os.path.expanduser(source))
    return study.model_copy(update={"dataset": study.dataset.model_copy(update={"source": whole})})


def _check_data_ids(chosen: Study, every: list[Study]) -> None:
    for other in every:
        if other.dataset.id == chosen.dataset.id and (differ := _differences(other, chosen)):
            raise UserError(
                f"The studies {chosen.study.name} and {other.study.name} both call their data {chosen.dataset.id!r} but "
                f"differ in {'; '.join(differ)}; each would replace the other's files, so give one of them another "
                "dataset.id."
            )


def _differences(one: Study, other: Study) -> list[str]:
    """How two studies differ in the keys of the files that all studies of a data set share.

    Files of different feature spaces have different names.
    """
    same_space = one.evaluation.features.name == other.evaluation.features.name
    keys = {"dataset", *READS["classifier"], *(READS["reference"] if same_space else ())}
    outer = sorted(key for key in keys if not any(key.startswith(f"{above}.") for above in keys))
    return differences(values(one, outer), values(other, outer))


def _check_edits_are_kept(every: list[Study]) -> None:
    """Check that the content of params.yaml is committed or a ready study, so that it can be restored.

    Raises:
        UserError: it is neither.
    """
    if not PARAMS.exists():
        return
    current = read_yaml(PARAMS)
    committed = subprocess.run(["git", "show", f"HEAD:./{PARAMS}"], capture_output=True)
    known = [study.model_dump(mode="json") for study in every]
    if committed.returncode == 0:
        with suppress(UserError):  # what was committed is no study
            known.append(parse_yaml(PARAMS, committed.stdout))
    # The folder of the files on this machine is not a part of the study.
    for study in (current, *known):
        if isinstance(study, dict) and isinstance(study.get("dataset"), dict):
            study["dataset"].pop("source", None)
    if current not in known:
        raise UserError(
            "params.yaml contains edits that are not committed; commit them, or discard them by `git checkout params.yaml`, and try again."
        )


if __name__ == "__main__":
    main()
