"""Say what the active study will cost: jobs, hours, and disk."""

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

import click

from pipeline_steps.command import study_command
from vaeline.runs.forecast import Forecast, forecast
from vaeline.study.schema import Study

GB = 1e9


@study_command
def main(study: Study) -> None:
    """Say how many jobs the active study has, how many hours they take, and how much disk. Nothing is started."""
    of, asked = forecast(study), study.study
    click.echo(f"{asked.name}: {len(asked.variants)} variants x {len(asked.seeds)} seeds.")
    click.echo(
        f"Jobs: {sum(of.jobs.values()):,} ({_listed({step: f'{count:,}' for step, count in of.jobs.items() if count})})."
    )
    for sentence in (*_hours(of), *_disk(of)):
        click.echo(sentence)


def _hours(of: Forecast) -> list[str]:
    """The hours, and where they are from."""
    hours = of.measured | of.guessed
    if not hours:
        return ["Hours: unknown before the images are there; run `python -m pipeline_steps.preprocess` and ask again."]
    each = _listed({step: f"{hours[step]:.2f}" for step in of.jobs if step in hours})
    said = [f"Hours, one job after the other: {sum(hours.values()):.2f} ({each})."]
    if of.measured:
        said.append(f"By the times of jobs that have run (timing.json): {_names(of.measured)}.")
    if of.guessed:
        said.append(
            f"By a rule of thumb: {_names(of.guessed)}. The rule is a microsecond for each pixel value of each image in each epoch, for "
            "convolutions on one core. Expect a factor of ten; run one seed of each variant, and ask again."
        )
    return [*said, *([f"Not included: {_names(of.unknown)}."] if of.unknown else [])]


def _disk(of: Forecast) -> list[str]:
    """The disk, and what DVC adds."""
    if not of.disk:
        return [
            "Disk: unknown before the images are there; `python -m pipeline_steps.preprocess` says it before it starts."
        ]
    tracked = sum(size for what, size in of.disk.items() if what != "checkpoints")
    each = _listed({what: f"{size / GB:.2f}" for what, size in of.disk.items()})
    return [
        f"Disk: {sum(of.disk.values()) / GB:.2f} GB ({each}); {shutil.disk_usage(Path()).free / GB:.0f} GB are free.",
        f"DVC's cache takes {tracked / GB:.2f} GB more if it copies files, and nothing if it links them (docs/commands.md, cache.type).",
    ]


def _names(steps: Iterable[str]) -> str:
    return ", ".join(steps)


def _listed(of: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in of.items())


if __name__ == "__main__":
    main()
