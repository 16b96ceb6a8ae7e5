"""Move runs that the study no longer names out of the way."""

from itertools import count, product
from pathlib import Path

from vaeline.study.schema import StudySection


def move_former(folder: Path, study: StudySection, former: Path) -> list[Path]:
    """Move the runs in `folder` that `study` no longer names under `former`; a run already there is kept beside.

    Returns:
        Where they lie now.
    """
    named = {folder / variant / f"seed-{seed}" for variant, seed in product(study.variants, study.seeds)}
    moved = []
    for run in sorted(set(folder.glob("*/seed-*")) - named):
        target = _unused(former / run.relative_to(folder))
        target.parent.mkdir(parents=True, exist_ok=True)
        moved.append(run.rename(target))
        if not any(run.parent.iterdir()):
            run.parent.rmdir()
    return moved


def _unused(path: Path) -> Path:
    if not path.exists():
        return path
    return next(other for number in count(2) if not (other := path.with_name(f"{path.name}.{number}")).exists())
