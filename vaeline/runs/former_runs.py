"""Move runs and trials that the study no longer names out of the folders that the engines look at."""

from collections.abc import Collection
from itertools import count, product
from pathlib import Path

from vaeline.runs.folder import CHOICE, folders_in, run_in
from vaeline.study.schema import StudySection


def move_former(runs: Path, study: StudySection, former: Path) -> list[Path]:
    """Move the runs that `study` no longer names to the folder `former`; a run of the same name there is kept.

    Args:
        runs: the folder of the study's runs.
        study: the variants and seeds that stay.
        former: the folder of former runs.

    Returns:
        The new folders of the runs that were moved.
    """
    for choice in sorted(runs.glob(f"*/{CHOICE}")):
        if choice.parent.name not in study.variants:
            _move(choice, former / choice.relative_to(runs))
    named = {run_in(runs, variant, seed) for variant, seed in product(study.variants, study.seeds)}
    moved = []
    for run in folders_in(runs):
        if run not in named:
            moved.append(_move(run, former / run.relative_to(runs)))
    return moved


def move_former_trials(trials: Path, named: Collection[int], former: Path) -> list[Path]:
    """Move the trials of a variant that the study no longer names to the folder `former`.

    Args:
        trials: the folder of the variant's tuning.
        named: the numbers of the trials that stay.
        former: the folder of the variant's former runs.

    Returns:
        The new folders of the trials that were moved.
    """
    stay = {f"trial-{number}" for number in named}
    return [_move(path, former / path.name) for path in sorted(trials.glob("trial-*")) if path.name not in stay]


def _move(path: Path, target: Path) -> Path:
    """Move a file or a folder, and remove its folder if nothing else is there; returns the new place."""
    target = _unused(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    moved = path.rename(target)
    if not any(path.parent.iterdir()):
        path.parent.rmdir()
    return moved


def _unused(path: Path) -> Path:
    """The path itself, or the first of `path.2`, `path.3`... that does not exist."""
    if not path.exists():
        return path
    return next(other for number in count(2) if not (other := path.with_name(f"{path.name}.{number}")).exists())
