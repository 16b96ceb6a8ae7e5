"""What the commands of the steps share: errors in sentences, the study, the parameters that a step reads, its time."""

import functools
import inspect
import io
import os
import re
import signal
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import click

from pipeline_steps.last_resort import RAISED, allow_interrupt, end_interrupted, explain
from pipeline_steps.plan_check import UNDER_DVC, PlanCheck
from pipeline_steps.running import begin_dvc_step
from vaeline.data.paths import DataFiles
from vaeline.runs.folder import DESCRIPTION, DRAWN, EVALUATION, TIMING, TRIAL, StudyFolder
from vaeline.runs.timing import entry_of, note_time
from vaeline.study.reading import load
from vaeline.study.schema import MOST_SEED, Study
from vaeline.study.step_settings import READS
from vaeline.system import progress
from vaeline.system.errors import UserError, in_words, shown, some_of
from vaeline.system.extras import lacking

Options = ParamSpec("Options")
Result = TypeVar("Result")

VOUCHING = {"train": DESCRIPTION, "sample": DRAWN, "evaluate": EVALUATION}  # step of a run -> its file
MOST_SHOWN = 20  # seeds in a sentence
_format_with_place = warnings.formatwarning


class WholeNumber(click.IntRange):
    """A range of whole numbers that are written in plain digits. Python would also take `0_1`, ` 1` and digits of other scripts."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read a value of the command line, or a default."""
        if isinstance(value, str) and not re.fullmatch("-?[0-9]+", value):
            self.fail(f"{shown(value)} is not a whole number in plain digits.", param, ctx)
        return int(super().convert(value, param, ctx))


def command(step: Callable[..., None]) -> click.Command:
    """Make a function a click command that ends every error with one sentence and exit code 1, Ctrl-C with 130, and a broken pipe with 141."""

    @functools.wraps(step)
    def speak(**options: object) -> None:
        warnings.formatwarning = _format_warning
        _accept_all_letters()
        allow_interrupt()
        try:
            if UNDER_DVC in os.environ:
                begin_dvc_step()
            step(**options)
        except UserError as error:
            raise click.ClickException(str(error)) from error
        except BrokenPipeError:  # the reader of the output has ended, as `head` does, and the step may not have
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(128 + signal.SIGPIPE)  # as of other programs
        except OSError as error:
            raise click.ClickException(str(in_words(error))) from error
        except ModuleNotFoundError as error:
            raise click.ClickException(str(lacking(error, name) or explain(error, name))) from error
        except KeyboardInterrupt:
            end_interrupted()
        except (click.ClickException, click.Abort, click.exceptions.Exit):
            raise
        except (
            Exception,
            SystemExit,
        ) as error:  # a part that calls sys.exit() would end the step as if it had finished
            if RAISED in os.environ:
                raise
            raise click.ClickException(explain(error, name)) from error

    name = Path(inspect.getfile(inspect.unwrap(step))).stem
    return click.command()(speak)


def study_command(step: Callable[Concatenate[Study, ...], None]) -> click.Command:
    """Turn a step into a command; its first argument is the active study. Its lines begin with what it works on."""

    name = Path(inspect.getfile(inspect.unwrap(step))).stem

    @command
    @functools.wraps(step)
    def run(**options: object) -> None:
        of = progress.name_of(name, options)
        progress.of_run(of)
        if "variant" in options:
            warnings.formatwarning = functools.partial(_format_warning, of=of)
        step(load(), **options)

    return run


def run_command(step: Callable[[Study, str, int], float | None]) -> click.Command:
    """Turn a step of one run into a command with --variant and --seed, and note its time in the run's timing.json.

    The step may return how many seconds it took, if it continued the work of a process that was killed.
    """

    name = Path(inspect.getfile(inspect.unwrap(step))).stem

    @study_command
    @click.option("--variant", required=True, help="An entry of study.variants.")
    @click.option("--seed", required=True, type=WholeNumber(0, MOST_SEED), help="One of study.seeds.")
    @functools.wraps(step)
    def run(study: Study, variant: str, seed: int) -> None:
        _require_named(study, variant, seed)
        started = time.monotonic()
        seconds = step(study, variant, seed)
        took = time.monotonic() - started if seconds is None else seconds
        note_time(StudyFolder(study.study.name).run(variant, seed) / TIMING, name, took)

    return run


def variant_command(step: Callable[Concatenate[Study, str, ...], None]) -> click.Command:
    """Turn a step of one variant's tuning into a command with --variant."""

    @study_command
    @click.option("--variant", required=True, help="An entry of study.variants.")
    @functools.wraps(step)
    def run(study: Study, variant: str, **options: object) -> None:
        _require_variant(study, variant)
        step(study, variant, **options)

    return run


def _accept_all_letters() -> None:
    """Print letters that the terminal's encoding lacks, such as an arrow in Latin-1, as escapes instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # None if it is closed
            stream.reconfigure(errors="backslashreplace")


def _require_variant(study: Study, variant: str) -> None:
    if variant not in study.study.variants:
        raise UserError(
            f"--variant is {shown(variant)}; study.variants in params.yaml contains: {', '.join(study.study.variants)}."
        )


def _require_named(study: Study, variant: str, seed: int) -> None:
    """Refuse a run that the study does not name. Its report would leave the run out, and move it to the former runs."""
    _require_variant(study, variant)
    if seed not in study.study.seeds:
        seeds = some_of([*map(str, study.study.seeds)], MOST_SHOWN)
        raise UserError(
            f"--seed is {seed}; study.seeds in params.yaml contains: {seeds}. Take one of them, or add {seed} to study.seeds."
        )


def timed(
    file: Callable[[Study], Path], name: str, unless: str = ""
) -> Callable[[Callable[Concatenate[Study, Options], None]], Callable[Concatenate[Study, Options], None]]:
    """Note the wall time and peak memory of a step of the whole study.

    Args:
        file: the timing.json, of the study or of its data set.
        name: of the step.
        unless: an option with which the command does another work, whose time is not noted.
    """

    def decorate(step: Callable[Concatenate[Study, Options], None]) -> Callable[Concatenate[Study, Options], None]:
        @functools.wraps(step)
        def noted(study: Study, /, *arguments: Options.args, **options: Options.kwargs) -> None:
            started = time.monotonic()
            step(study, *arguments, **options)
            if not options.get(unless):
                entry = entry_of(name, study.evaluation.features.name)
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
    step: str, *, code: str | None, vouching: Callable[[Study, Mapping[str, Any]], Path | None] | None = None
) -> Callable[[Callable[Concatenate[Study, Options], Result]], Callable[Concatenate[Study, Options], Result]]:
    """Declare what a step depends on, and refuse the step if this differs from what its engine planned, or changes meanwhile.

    Args:
        step: whose keys of params.yaml `step_settings.READS` has. Its files name the values of the same keys.
        code: the key of the step's code in code.json, in which `{dataset}`, `{features}` and `{variant}` stand for names; None
            for the step that writes code.json.
        vouching: for a command that writes other files than the step: gives the file that says what they are of, from the study and
            the command's options; None if the command has no such file.
    """

    keys = READS[step]

    def decorate(
        work: Callable[Concatenate[Study, Options], Result],
    ) -> Callable[Concatenate[Study, Options], Result]:
        @functools.wraps(work)
        def watched(study: Study, /, *arguments: Options.args, **options: Options.kwargs) -> Result:
            names = {"dataset": study.dataset.name, "features": study.evaluation.features.name}
            bound = inspect.signature(work).bind(study, *arguments, **options).arguments
            names |= bound
            check = PlanCheck(study, [key.format(**names) for key in keys], code and code.format(**names))
            result = work(study, *arguments, **options)
            try:
                check.end()
            except UserError:
                path = (
                    vouching(study, bound)
                    if vouching
                    else code and _vouching_file(study, code.partition(".")[0], bound)
                )
                if path:
                    path.unlink(missing_ok=True)  # no reader takes the other files of the step without this one
                raise
            return result

        watched.reads, watched.code = keys, code  # type: ignore[attr-defined]
        return watched

    return decorate


def _vouching_file(study: Study, step: str, options: Mapping[str, Any]) -> Path | None:
    """The file of a step that says what all its files are of; None if the step has no such file.

    Args:
        study: the active one.
        step: its name.
        options: of its command: the variant and the seed of a run, the number of a trial.
    """
    data, folder = DataFiles(study.dataset.id), StudyFolder(study.study.name)
    of_study = {
        "download": data.manifest,
        "preprocess": data.store,
        "classifier": data.classifier,
        "reference": data.metrics(study.evaluation.features.name),
        "report": folder.comparison,
    }
    variant = str(options.get("variant", ""))
    if variant:
        of_study |= {"design": folder.design(variant), "choose": folder.choice(variant)}
    if "trial" in options:
        of_study["trial"] = folder.trial(variant, options["trial"]) / TRIAL
    if step in VOUCHING and "seed" in options:
        return folder.run(variant, options["seed"]) / VOUCHING[step]
    return of_study.get(step)


def _format_warning(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None, of: str = ""
) -> str:
    """Show a warning of vaeline as a sentence, without the line of code, and a warning of a library with its place; both with the run.

    Args:
        message: the warning.
        category: of the warning.
        filename: of the code that warns.
        lineno: of the code that warns.
        line: of the code that warns.
        of: the run that the warning is about, as the start of the sentence.
    """
    if category.__module__.startswith("vaeline."):
        return f"Warning: {of}{message}\n"
    return of + _format_with_place(message, category, filename, lineno, line)
