"""The memory, time, threads and GPU that jobs ask the queue of a cluster for. A local run knows them too, and limits none but the GPU."""

import re
import subprocess
from collections.abc import Collection, Iterator, MutableMapping
from functools import cache
from math import ceil, floor
from pathlib import Path
from typing import NamedTuple

from vaeline.data.paths import DataFiles
from vaeline.runs.folder import TIMING, StudyFolder
from vaeline.runs.timing import SECONDS_PER_VALUE, Time, entry_of, read_times
from vaeline.study.schema import Study
from vaeline.study.step_settings import OF_RUN
from vaeline.system.errors import UserError

HEADROOM = 2  # asked for per what was measured
SNAKEMAKE = 1500  # MB, which Snakemake's own processes on a node take beside a step
SHORTEST = 10  # minutes; a node may be ten times as slow to import torch from a shared file system
IMAGES = {"digits": 1_797, "example_images": 1_797, "mnist": 70_000, "fashion_mnist": 70_000, "svhn": 99_289}
OTHERWISE = 200_000  # images, as in CelebA
GPU = 10  # times as fast as a core, at least
OF_JOB = "SLURM_MEM_PER_NODE"  # megabytes that Slurm gives a job, by which a step budgets its images


def hand_on_memory(environment: MutableMapping[str, str]) -> None:
    """Hand the memory of a Slurm job on to its steps: the executor's plugin starts them without Slurm's variables.

    Args:
        environment: of a Snakemake on a node; the first one of a job has the variable, and the one that it starts has not.
    """
    kept = f"VAELINE_{OF_JOB}"
    if OF_JOB in environment:
        environment[kept] = environment[OF_JOB]
    elif kept in environment:
        environment[OF_JOB] = environment[kept]


class Needs:
    """What the steps of a study need, by measurement where there is one, else by a rule of thumb.

    Args:
        study: the active one.
    """

    def __init__(self, study: Study) -> None:
        self.study = study

    def memory(self, step: str, variant: str | None = None, processes: int = 1) -> int:
        """Megabytes of a step: for each of its processes twice the most that one has used so far, and what Snakemake needs beside them."""
        peaks = [time.peak_bytes / 1e6 for time in self._measured(step, variant) if time.peak_bytes is not None]
        return ceil(processes * (HEADROOM * max(peaks) if peaks else self._usual_memory())) + SNAKEMAKE

    def minutes_within(
        self, most: int | None, step: str, together: Collection[str], variant: str | None, attempt: int
    ) -> int:
        """Minutes that an attempt at a step asks for. A job that asked for more than its partition allows would wait for ever.

        Args:
            most: minutes of a job; None for any number.
            step: one of `together`.
            together: the steps that are one job. They are cut in the same proportion.
            variant: of the step, if it has one.
            attempt: from 1.
        """
        asked = {each: attempt * self.minutes(each, variant) for each in together}
        excess = sum(asked.values()) / most if most else 0
        return max(1, floor(asked[step] / excess)) if excess > 1 else asked[step]

    def minutes(self, step: str, variant: str | None = None) -> int:
        """Minutes of a step: twice the longest that it has taken so far, and at least SHORTEST."""
        longest = max((time.seconds for time in self._measured(step, variant)), default=None)
        seconds = self._usual_seconds(step, variant) if longest is None else longest
        return max(SHORTEST, ceil(HEADROOM * seconds / 60))

    def _usual_memory(self) -> float:
        """Megabytes before a measurement: torch, and three copies of the images. More images than fit stay on disk."""
        return 1500 + 3 * self._values() / 1e6

    def _usual_seconds(self, step: str, variant: str | None) -> float:
        """Seconds before a measurement: five minutes, and by how many times a step looks at each image."""
        study = self.study
        passes = {
            "train": (study.training_of(variant) if variant else study.training).epochs,
            "trial": study.tuning.epochs,
            "classifier": study.classifier.epochs * len(study.classifier.seeds),
            "evaluate": 20,
        }.get(step, 2)
        return 300 + passes * self._values() * SECONDS_PER_VALUE / (1 if study.training.device == "cpu" else GPU)

    def _values(self) -> int:
        """The pixel values of all images, in colour; three a point."""
        height, width = self.study.dataset.shape or (1, 1)
        return 3 * height * width * (self.study.dataset.limit or IMAGES.get(self.study.dataset.name, OTHERWISE))

    def _measured(self, step: str, variant: str | None) -> list[Time]:
        """The times of a step: those of a variant, else those of all variants, else none."""
        name = entry_of(step, self.study.evaluation.features.name)
        for files in (self._files(step, variant), self._files(step, "*")):
            if found := [times[name] for times in map(_times, files) if name in times]:
                return found
        return []

    def _files(self, step: str, variant: str | None) -> Iterator[Path]:
        folder = StudyFolder(self.study.study.name)
        if step in OF_RUN:
            return folder.runs.glob(f"{variant}/seed-*/{TIMING}")
        if step == "trial":
            return folder.path.glob(f"tuning/{variant}/trial-*/{TIMING}")
        return iter([folder.timing if step == "report" else DataFiles(self.study.dataset.id).timing])


@cache  # a study of hundreds of runs asks hundreds of times
def _times(path: Path) -> dict[str, Time]:
    try:
        return read_times(path)
    except (UserError, OSError):
        return {}


class Limits(NamedTuple):
    """What a job of a partition cannot exceed; None if nothing says so."""

    threads: int | None = None  # CPUs of its largest node
    minutes: int | None = None  # of a job


@cache
def limits(partition: str | None) -> Limits:
    """The limits of a Slurm partition; none if Slurm does not say.

    Args:
        partition: its name; None for the default one.
    """
    try:
        said = subprocess.run(
            ["sinfo", "--noheader", "--exact", "--format", "%P %c %l"],
            check=True,
            capture_output=True,
            text=True,
            timeout=30,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return Limits()
    nodes = [
        (int(cpus), _minutes(longest))
        for name, cpus, longest in re.findall(r"^(\S+) (\d+) (\S+)$", said, re.MULTILINE)
        if (name.rstrip("*") == partition if partition else name.endswith("*"))
    ]
    return Limits(max(cpus for cpus, _ in nodes), nodes[0][1]) if nodes else Limits()


def _minutes(text: str) -> int | None:
    """Minutes of a time as Slurm writes it, [days-][hours:]minutes:seconds; None if it is no time, as `infinite`."""
    days, _, clock = text.rpartition("-")
    parts = clock.split(":")
    if not all(part.isdigit() for part in parts):
        return None
    seconds = sum(int(part) * 60**place for place, part in enumerate(reversed(parts)))
    return int(days or 0) * 24 * 60 + seconds // 60
