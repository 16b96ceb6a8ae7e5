"""What the two engines cost a study of many stages: planning with nothing to do, recording a run, making the records equal.

`python -m benchmarks.many_stages 24 456 3000` writes projects with made-up files and prints a table in Markdown. It
trains nothing. Times are CPU seconds, which a shared machine stretches less than the time on the clock. `--keep` adds the
numbers to benchmarks/measured/many_stages.json under a name.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import TypedDict

import click

from benchmarks import made_up_project
from benchmarks.race import MEASURED
from vaeline.system.hardware import hardware
from workflow import bridge

RESULTS = MEASURED / "many_stages.json"
TURNS = 3
NOTHING = "Nothing to be done"
HEAD = [
    "stages", "`snakemake -n`, nothing to do: s", "recording: ms a stage", "making equal: ms a stage", "a run's end: s",
    "after an edit: s", "memory: MB",
]  # fmt: skip


class Costs(TypedDict):
    """What was measured of a study."""

    stages: int
    nothing_to_do: list[float]  # CPU seconds of `snakemake -n`, turn by turn
    recording: float  # seconds in which the bridge records a run of all stages
    making_equal: float  # seconds in which the bridge makes Snakemake's records equal to DVC's
    end_of_run: float  # seconds of the bridge's process that does both
    again: float  # seconds of the bridge's process that only makes the records equal
    peak_bytes: int  # of the bridge


@click.command()
@click.argument("stages", nargs=-1, type=click.IntRange(min=1))
@click.option("--keep", help="Name of the code that was measured, under which the numbers are kept.")
def main(stages: tuple[int, ...], keep: str | None) -> None:
    """Measure studies of about STAGES stages each."""
    found = []
    for count in stages or (24, 456, 3000):
        with tempfile.TemporaryDirectory() as folder:
            found.append(measure(Path(folder) / "project", count))
        print(json.dumps(found[-1]), flush=True)
    print(table(found))
    if keep:
        kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
        kept[keep] = {"machine": hardware(), "costs": found}
        RESULTS.write_text(json.dumps(kept, indent=1) + "\n")


def measure(folder: Path, stages: int) -> Costs:
    """Write a project, let the bridge record it, and time it.

    Args:
        folder: of the project, which must not exist.
        stages: about how many the study has.
    """
    count = made_up_project.write(folder, made_up_project.variants_for(stages))
    end = _bridge(folder, "--record")
    (folder / bridge.SEEN).unlink()
    again = _bridge(folder)
    turns = [_plan(folder) for _ in range(TURNS)]
    return Costs(
        stages=count,
        nothing_to_do=turns,
        recording=end["seconds"]["_record_run"],
        making_equal=again["seconds"]["_make_equal"],
        end_of_run=end["seconds"]["all"],
        again=again["seconds"]["all"],
        peak_bytes=max(end["peak_bytes"], again["peak_bytes"]),
    )


def table(found: list[Costs]) -> str:
    """The table in Markdown, a row for each study."""
    lines = [HEAD, ["---"] * len(HEAD), *map(_row, found)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _row(of: Costs) -> list[str]:
    each = [1000 * seconds / of["stages"] for seconds in (of["recording"], of["making_equal"])]
    seconds = [median(of["nothing_to_do"]), of["end_of_run"], of["again"]]
    return [
        f"{of['stages']:,}",
        f"{seconds[0]:.1f}",
        *(f"{value:.0f}" for value in each),
        *(f"{value:.1f}" for value in seconds[1:]),
        f"{of['peak_bytes'] / 2**20:,.0f}",
    ]


def _bridge(folder: Path, *options: str) -> dict:
    command = [sys.executable, "-m", "benchmarks.sides.recording", *options]
    done = subprocess.run(command, cwd=folder, env=_environment(folder), check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def _plan(folder: Path) -> float:
    """The CPU seconds of a dry run, which finds nothing to do."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "snakemake", "-n", "all"]
    done = subprocess.run(command, cwd=folder, env=_environment(folder), check=True, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if NOTHING not in done.stdout + done.stderr:
        raise click.ClickException(f"The engines do not agree that all is done:\n{done.stdout[-2000:]}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _environment(folder: Path) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(folder), "DVC_NO_ANALYTICS": "1"}


if __name__ == "__main__":
    main()
