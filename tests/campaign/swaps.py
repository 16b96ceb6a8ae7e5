"""Files and folders that change places: between seeds, variants, studies and data sets.

Every file of a run is swapped with the same file of every other run; then all their readers read.
"""

import os
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

from tests.campaign.kind import Grounds, Judge, Kind
from tests.campaign.outcome import Case, Verdict, worst
from tests.campaign.readers import OF_RUN, Answers, Reader, files_of, read
from tests.campaign.studies import Run, World


class Swap(NamedTuple):
    """Two paths that change places, each of a run."""

    first: Path
    second: Path
    runs: tuple[Run, Run]
    readers: tuple[Reader, ...]


def prepare(grounds: Grounds) -> Judge:
    """The judge of swaps: the case's number counts through all of them."""
    world = grounds.world
    swaps = every_swap(world)

    def judge(case: Case) -> Verdict:
        return judged(swaps[(case.number + case.seed) % len(swaps)], world, grounds.answers)

    return judge


def every_swap(world: World) -> list[Swap]:
    """All pairs of files of a kind, all pairs of files copied one way, and all pairs of folders of runs and checkpoints."""
    found = []
    for runs in combinations(world.runs, 2):
        one, other = (_by_kind(world, run) for run in runs)
        found += [
            Swap(one[name][0], other[name][0], runs, one[name][1])
            for name in one.keys() & other.keys()
            if one[name][0] != other[name][0]
        ]
        found.append(Swap(runs[0].folder, runs[1].folder, runs, OF_RUN))
    return sorted(set(found), key=lambda swap: (str(swap.first), str(swap.second)))


def _by_kind(world: World, run: Run) -> dict[str, tuple[Path, tuple[Reader, ...]]]:
    """The files of a run by their kind: what their names are without the run, the data set, the study and keys."""
    found = {}
    for path, readers in files_of(world, run, world.folder).items():
        place = path.parent.name.partition("-")[0] if path.is_relative_to("data") else ""
        name = path.name
        if path.is_relative_to("checkpoints"):
            name = path.name.rpartition("-")[0] or path.name
        elif path.is_relative_to("data"):
            name = path.name.removeprefix(world.data(run.study))
        found[f"{path.parts[0]} {place} {name}"] = path, readers
    return found


def judged(swap: Swap, world: World, answers: Answers) -> Verdict:
    """Swap two paths, and let every reader read for both runs."""
    verdicts = []
    for run in swap.runs:
        for reader in swap.readers:
            with world.clone() as project:
                exchange(project / swap.first, project / swap.second)
                reply = read(world, run, reader, project)
            what = f"{swap.first} and {swap.second} swapped, read by {reader.__name__} of {run.study} {run.variant} {run.seed}"
            verdicts.append(reply.judged(answers(run, reader), what))
    return worst(verdicts)


def exchange(first: Path, second: Path) -> None:
    """Let two paths change places."""
    aside = first.with_name("aside")
    os.rename(first, aside)
    os.rename(second, first)
    os.rename(aside, second)


KIND = Kind("swaps", prepare, cases=450)
