"""What the steps' commands share: sentences instead of tracebacks, parameters that hold still, paths, what a step takes."""

import fcntl
import functools
import inspect
import json
import operator
import os
import platform
import sys
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from vaeline.study.reading import load
from vaeline.study.schema import MOST_SEED, Study
from vaeline.system.errors import UserError
from vaeline.system.files import write_json
from vaeline.system.memory import peak

T = TypeVar("T")

# There from the start of a run of Snakemake until what it finished is recorded; locked while that run lives.
RUNNING = Path(".snakemake/bridge/running")
UNDER_DVC = "DVC_STAGE"  # in the environment of what DVC runs
_with_its_place = warnings.formatwarning


def command(step: Callable[..., None]) -> click.Command:
    """Make a step's function a click command; a mistake of the user's ends with its sentence and exit code 1."""

    @functools.wraps(step)
    def speak(**options: Any) -> None:
        warnings.formatwarning = _warn_in_a_sentence
        try:
            _refuse_beside_snakemake()
            step(**options)
        except UserError as error:
            raise click.ClickException(str(error)) from error
        except BrokenPipeError:  # the reader of our words has gone, as `head` does
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except OSError as error:
            raise click.ClickException(f"{error}; mend it and run again.") from error

    return click.command()(speak)


def _warn_in_a_sentence(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None
) -> str:
    """Our own warnings are for the user, whom the line of code does not help; those of libraries say where."""
    if category.__module__.startswith("vaeline."):
        return f"Warning: {message}\n"
    return _with_its_place(message, category, filename, lineno, line)


def reads(*keys: str) -> Callable[[Callable[..., T]], Callable[..., T]]:
    """Name what a step takes from params.yaml, and refuse an edit of it while the step runs.

    Both engines look the values up once a step has ended, and would certify what was made of the former ones.

    Args:
        keys: dotted, as in dvc.yaml; `{variant}` stands for the run's.
    """

    def decorate(step: Callable[..., T]) -> Callable[..., T]:
        @functools.wraps(step)
        def watched(*arguments: Any, **options: Any) -> T:
            of_run = inspect.signature(step).bind(*arguments, **options).arguments
            before = _values(keys, of_run)
            seconds = step(*arguments, **options)
            if moved := [key for key, value in _values(keys, of_run).items() if value != before[key]]:
                raise UserError(
                    f"{', '.join(moved)} of params.yaml changed while this step ran, so that what it made is of the former "
                    "value; run again."
                )
            return seconds

        watched.reads = keys  # type: ignore[attr-defined]
        return watched

    return decorate


def timed(where: str, name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Note the wall time and peak memory of a step that belongs to no run.

    Args:
        where: the file for it, `{study}` and `{id}` standing for the study's name and its data set's id.
        name: of the step in the file; `{features}` stands for the feature space.
    """

    def decorate(step: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(step)
        def noted(**options: Any) -> None:
            started = time.monotonic()
            step(**options)
            study = load()
            of = {"study": study.study.name, "id": study.dataset.id, "features": study.evaluation.features.name}
            _note(Path(where.format(**of)), name.format(**of), time.monotonic() - started)

        return noted

    return decorate


def run_command(step: Callable[[Study, str, int], float | None]) -> click.Command:
    """Make a step of one run a command with --variant and --seed, and note its wall time and memory in the run's timing.json.

    The step returns the seconds it took if it knows of more than this process: of one that was killed and went on.
    """

    name = Path(inspect.getfile(inspect.unwrap(step))).stem

    @command
    @click.option("--variant", required=True, help="An entry of study.variants.")
    @click.option("--seed", required=True, type=click.IntRange(0, MOST_SEED), help="One of study.seeds, or any other.")
    @functools.wraps(step)
    def run(variant: str, seed: int) -> None:
        study = load()
        if variant not in study.variants:
            raise UserError(f"--variant is {variant!r}; params.yaml holds: {', '.join(study.variants)}.")
        started = time.monotonic()
        seconds = step(study, variant, seed)
        took = time.monotonic() - started if seconds is None else seconds
        _note(run_folder(study.study.name, variant, seed) / "timing.json", name, took)

    return run


def run_folder(study: str, variant: str, seed: int) -> Path:
    """Where a run's files lie."""
    return Path("results") / study / "runs" / variant / f"seed-{seed}"


def store_of(study: Study) -> Path:
    """Where a study's preprocessed images lie."""
    return Path("data") / f"{study.dataset.id}.h5"


def _values(keys: Sequence[str], of_run: Mapping[str, Any]) -> dict[str, Any]:
    """What stands at dotted keys of params.yaml."""
    content = load().model_dump(mode="json")
    return {key: functools.reduce(operator.getitem, key.format(**of_run).split("."), content) for key in keys}


def _refuse_beside_snakemake() -> None:
    """Keep DVC out of the files of a run of Snakemake that is going on."""
    if UNDER_DVC not in os.environ or not RUNNING.exists():
        return
    with RUNNING.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UserError(
                "A run of Snakemake is going on in this project; wait for it to end, or stop it, and run again."
            ) from error


def _note(path: Path, step: str, seconds: float) -> None:
    """Add what a step took, this process ending, to a file that no engine tracks."""
    try:
        times = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        times = {}
    if not isinstance(times, dict):
        times = {}
    write_json(path, times | {step: {"seconds": round(seconds, 2), "peak_bytes": peak(), "host": platform.node()}})
