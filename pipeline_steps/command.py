"""What the commands of the steps share: errors in sentences, the study, the parameters that a step reads, its time."""

import fcntl
import functools
import inspect
import operator
import os
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import click

from pipeline_steps.last_resort import RAISED, allow_interrupt, end_interrupted, explain
from vaeline.data.paths import DataFiles
from vaeline.runs.folder import TIMING, StudyFolder
from vaeline.runs.timing import note_time
from vaeline.study.reading import load
from vaeline.study.schema import MOST_SEED, Study
from vaeline.system.errors import UserError

Options = ParamSpec("Options")
Result = TypeVar("Result")

# The file exists from the start of a run of Snakemake until what it finished is recorded; it is locked while the run lives.
RUNNING = Path(".snakemake/bridge/running")
UNDER_DVC = "DVC_STAGE"  # in the environment of a command that DVC runs
_format_with_place = warnings.formatwarning


def command(step: Callable[..., None]) -> click.Command:
    """Make a function a click command that ends every error with one sentence and exit code 1, and Ctrl-C with 130."""

    @functools.wraps(step)
    def speak(**options: object) -> None:
        warnings.formatwarning = _format_warning
        allow_interrupt()
        try:
            _check_no_snakemake_runs()
            step(**options)
        except UserError as error:
            raise click.ClickException(str(error)) from error
        except BrokenPipeError:  # the reader of the output has ended, as `head` does
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except OSError as error:
            bounded = UserError(f"{error}; fix this and run again.")  # a file's name can be long, and not UTF-8
            raise click.ClickException(str(bounded)) from error
        except KeyboardInterrupt:
            end_interrupted()
        except (click.ClickException, click.Abort, click.exceptions.Exit):
            raise
        except Exception as error:
            if RAISED in os.environ:
                raise
            raise click.ClickException(explain(error, name)) from error

    name = Path(inspect.getfile(inspect.unwrap(step))).stem
    return click.command()(speak)


def study_command(step: Callable[Concatenate[Study, ...], None]) -> click.Command:
    """Turn a step of the whole study into a command; its first argument is the active study."""

    @command
    @functools.wraps(step)
    def run(**options: object) -> None:
        step(load(), **options)

    return run


def run_command(step: Callable[[Study, str, int], float | None]) -> click.Command:
    """Turn a step of one run into a command with --variant and --seed, and note its time in the run's timing.json.

    The step may return how many seconds it took, if it continued the work of a process that was killed.
    """

    name = Path(inspect.getfile(inspect.unwrap(step))).stem

    @study_command
    @click.option("--variant", required=True, help="An entry of study.variants.")
    @click.option("--seed", required=True, type=click.IntRange(0, MOST_SEED), help="One of study.seeds, or any other.")
    @functools.wraps(step)
    def run(study: Study, variant: str, seed: int) -> None:
        if variant not in study.variants:
            raise UserError(f"--variant is {variant!r}; params.yaml contains: {', '.join(study.variants)}.")
        started = time.monotonic()
        seconds = step(study, variant, seed)
        took = time.monotonic() - started if seconds is None else seconds
        note_time(StudyFolder(study.study.name).run(variant, seed) / TIMING, name, took)

    return run


def timed(
    file: Callable[[Study], Path], name: str
) -> Callable[[Callable[Concatenate[Study, Options], None]], Callable[Concatenate[Study, Options], None]]:
    """Note the wall time and peak memory of a step of the whole study.

    Args:
        file: the timing.json, of the study or of its data set.
        name: of the step in the file; `{features}` stands for the feature space.
    """

    def decorate(step: Callable[Concatenate[Study, Options], None]) -> Callable[Concatenate[Study, Options], None]:
        @functools.wraps(step)
        def noted(study: Study, /, *arguments: Options.args, **options: Options.kwargs) -> None:
            started = time.monotonic()
            step(study, *arguments, **options)
            entry = name.format(features=study.evaluation.features.name)
            note_time(file(study), entry, time.monotonic() - started)

        return noted

    return decorate


def data_timing(study: Study) -> Path:
    """The timing.json of the steps that all studies of a data set share."""
    return DataFiles(study.dataset.id).timing


def study_timing(study: Study) -> Path:
    """The timing.json of a study's report."""
    return StudyFolder(study.study.name).timing


def reads(
    *keys: str,
) -> Callable[[Callable[Concatenate[Study, Options], Result]], Callable[Concatenate[Study, Options], Result]]:
    """Declare what a step reads of params.yaml, and refuse an edit of it while the step runs.

    Both engines look up the values after a step has ended, and would otherwise record the new values for files that were
    made with the old ones.

    Args:
        keys: dotted, as in dvc.yaml; `{variant}` stands for the variant of the run.
    """

    def decorate(
        step: Callable[Concatenate[Study, Options], Result],
    ) -> Callable[Concatenate[Study, Options], Result]:
        @functools.wraps(step)
        def watched(study: Study, /, *arguments: Options.args, **options: Options.kwargs) -> Result:
            result = step(study, *arguments, **options)
            now = load()  # the same object unless the bytes of params.yaml differ
            if now is not study:
                of_run = inspect.signature(step).bind(study, *arguments, **options).arguments
                _check_unchanged([key.format(**of_run) for key in keys], study, now)
            return result

        watched.reads = keys  # type: ignore[attr-defined]
        return watched

    return decorate


def _check_unchanged(keys: list[str], before: Study, now: Study) -> None:
    old, new = before.model_dump(mode="json"), now.model_dump(mode="json")
    if changed := [key for key in keys if _value(old, key) != _value(new, key)]:
        raise UserError(
            f"{', '.join(changed)} of params.yaml changed while this step ran, so that its files are made with the old value; "
            "run again."
        )


def _value(content: dict[str, Any], key: str) -> object:
    """The value at a dotted key, or None if the key is missing."""
    try:
        return functools.reduce(operator.getitem, key.split("."), content)
    except KeyError:
        return None


def _format_warning(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None
) -> str:
    """Show a warning of vaeline as a sentence, without the line of code, and a warning of a library with its place."""
    if category.__module__.startswith("vaeline."):
        return f"Warning: {message}\n"
    return _format_with_place(message, category, filename, lineno, line)


def _check_no_snakemake_runs() -> None:
    """Keep DVC from changing the files of a run of Snakemake that is going on."""
    if UNDER_DVC not in os.environ or not RUNNING.exists():
        return
    with RUNNING.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UserError(
                "A run of Snakemake is going on in this project; wait for it to end, or stop it, and run again."
            ) from error
