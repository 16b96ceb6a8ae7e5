"""Move runs that the study no longer names out of its folder of runs."""

from itertools import count, product
from pathlib import Path

from vaeline.runs.folder import folders_in, run_in
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
    named = {run_in(runs, variant, seed) for variant, seed in product(study.variants, study.seeds)}
    moved = []
    for run in folders_in(runs):
        if run in named:
            continue
        target = _unused(former / run.relative_to(runs))
        target.parent.mkdir(parents=True, exist_ok=True)
        moved.append(run.rename(target))
        if not any(run.parent.iterdir()):
            run.parent.rmdir()
    return moved


def _unused(path: Path) -> Path:
    """The path itself, or the first of `path.2`, `path.3`... that does not exist."""
    if not path.exists():
        return path
    return next(other for number in count(2) if not (other := path.with_name(f"{path.name}.{number}")).exists())
