"""Files and folders that change places, or are copied over others: between seeds, variants, studies and data sets.

Every file of a run is swapped with the same file of every other run, alone, with the files that vouch for each other, and
as a folder; then all their readers read. Later cases copy the files one way, for one reader.
"""

import os
import shutil
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

from tests.campaign.kind import Grounds, Judge, Kind
from tests.campaign.outcome import Case, Verdict, worst
from tests.campaign.readers import (
    MODEL,
    OF_RUN,
    Answers,
    Reader,
    evaluate,
    evaluate_again,
    files_of,
    read,
    report,
    resume,
)
from tests.campaign.studies import Run, World


class Swap(NamedTuple):
    """Pairs of paths that change places, each path of a run."""

    pairs: tuple[tuple[Path, Path], ...]
    runs: tuple[Run, Run]
    readers: tuple[Reader, ...]
    copied: bool = False  # whether the first of each pair only gets the content of the second


# Files of a run that vouch for each other, and their readers.
TOGETHER = (
    (("variant.yaml", "model.safetensors"), MODEL),
    (("variant.yaml", "model.safetensors", "training.csv"), MODEL),
    (("samples.h5", "reconstructions.png", "samples.png"), (evaluate, report)),
    (("metrics.json", "evaluation.json"), (report,)),
    (("samples.h5", "reconstructions.png", "samples.png", "metrics.json", "evaluation.json"), (evaluate, report)),
)


def prepare(grounds: Grounds) -> Judge:
    """The judge of swaps: the case's number counts through all of them."""
    world = grounds.world
    swaps = every_swap(world)

    def judge(case: Case) -> Verdict:
        swap = swaps[(case.number + case.seed) % len(swaps)]
        if swap.copied:
            swap = swap._replace(readers=(case.random().choice(swap.readers),))
        return judged(swap, world, grounds.answers)

    return judge


def every_swap(world: World) -> list[Swap]:
    """All pairs of files of a kind, of groups of files, and of folders of runs and checkpoints; then the same ones, copied each way."""
    found = []
    for runs in combinations(world.runs, 2):
        one, other = (_by_kind(world, run) for run in runs)
        found += [
            Swap(((one[name][0], other[name][0]),), runs, one[name][1])
            for name in sorted(one.keys() & other.keys())
            if one[name][0] != other[name][0]
        ]
        first, second = (run.folder for run in runs)
        found += [
            Swap(tuple((first / name, second / name) for name in names), runs, readers) for names, readers in TOGETHER
        ]
        found.append(Swap(((first, second),), runs, OF_RUN))
        found += [Swap((pair,), runs, (resume, evaluate_again)) for pair in _folders_of_states(world, runs)]
    copies = [
        swap._replace(pairs=tuple(pair[::way] for pair in swap.pairs), runs=swap.runs[::way], copied=True)
        for swap in found
        for way in (1, -1)
    ]
    unique = {(swap.pairs, swap.copied): swap for swap in [*found, *copies]}
    return list(unique.values())


def _folders_of_states(world: World, runs: tuple[Run, Run]) -> list[tuple[Path, Path]]:
    """The folders of two runs with checkpoints, and those with kept parts of the evaluation."""
    begins = [f"checkpoints/{run.study}-{run.variant}-seed-{run.seed}" for run in runs]
    patterns = ("-????????????????", "-evaluation")
    found = [[sorted(world.folder.glob(begin + pattern)) for begin in begins] for pattern in patterns]
    return [
        (one.relative_to(world.folder), other.relative_to(world.folder)) for [one], [other] in (pair for pair in found)
    ]


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
    """Swap paths, or copy them, and let every reader read for both runs."""
    verdicts = []
    names = ", ".join(f"{first} and {second}" for first, second in swap.pairs)
    for run in swap.runs[: 1 if swap.copied else 2]:
        for reader in swap.readers:
            with world.clone() as project:
                for first, second in swap.pairs:
                    (copy if swap.copied else exchange)(project / first, project / second)
                reply = read(world, run, reader, project)
            done = "the second copied over the first" if swap.copied else "swapped"
            what = f"{names} {done}, read by {reader.__name__} of {run.study} {run.variant} {run.seed}"
            verdicts.append(reply.judged(answers(run, reader), what))
    return worst(verdicts)


def copy(target: Path, source: Path) -> None:
    """Give a file or folder the content of another; files are hard links, whose other names keep theirs."""
    if source.is_dir():
        shutil.rmtree(target)
        shutil.copytree(source, target)
    else:
        target.unlink()
        shutil.copy2(source, target)


def exchange(first: Path, second: Path) -> None:
    """Let two paths change places."""
    aside = first.with_name("aside")
    os.rename(first, aside)
    os.rename(second, first)
    os.rename(aside, second)


KIND = Kind("swaps", prepare, cases=720)
