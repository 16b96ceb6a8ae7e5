"""What the steps' commands share: sentences instead of tracebacks, a run's folder, wall times."""

import functools
import inspect
import json
import platform
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from vaeline.errors import UserError
from vaeline.files import write_json
from vaeline.params import Study, load

_with_its_place = warnings.formatwarning


def command(step: Callable[..., None]) -> click.Command:
    """Make a step's function a click command; a mistake of the user's ends with its sentence and exit code 1."""

    @functools.wraps(step)
    def speak(**options: Any) -> None:
        warnings.formatwarning = _warn_in_a_sentence
        try:
            step(**options)
        except UserError as error:
            raise click.ClickException(str(error)) from error
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


def run_command(step: Callable[[Study, str, int], None]) -> click.Command:
    """Make a step of one run a command with --variant and --seed, and note its wall time in the run's timing.json."""

    @command
    @click.option("--variant", required=True, help="An entry of study.variants.")
    @click.option("--seed", required=True, type=click.IntRange(min=0), help="One of study.seeds, or any other.")
    @functools.wraps(step)
    def run(variant: str, seed: int) -> None:
        study = load()
        if variant not in study.variants:
            raise UserError(f"--variant is {variant!r}; params.yaml holds: {', '.join(study.variants)}.")
        started = time.monotonic()
        step(study, variant, seed)
        _note_time(
            run_folder(study.study.name, variant, seed), Path(inspect.getfile(step)).stem, time.monotonic() - started
        )

    return run


def run_folder(study: str, variant: str, seed: int) -> Path:
    """Where a run's files lie."""
    return Path("results") / study / "runs" / variant / f"seed-{seed}"


def store_of(study: Study) -> Path:
    """Where a study's preprocessed images lie."""
    return Path("data") / f"{study.dataset.id}.h5"


def _note_time(folder: Path, step: str, seconds: float) -> None:
    """Add a step's wall time to the run's timing.json, which no engine tracks."""
    path = folder / "timing.json"
    try:
        times = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        times = {}
    write_json(path, times | {step: {"seconds": round(seconds, 2), "host": platform.node()}})
