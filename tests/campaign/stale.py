"""Damaged and swapped files through the engines: both notice that a file is not the one that was made, and make it again."""

import tempfile
from pathlib import Path
from random import Random

from tests.campaign import mutations
from tests.campaign.engines import COMMANDS, IGNORED, end_state
from tests.campaign.kind import Grounds, Judge, Kind
from tests.campaign.outcome import Case, Verdict
from tests.campaign.swaps import exchange
from tests.workflow.scratch import Project

RECORDS = ("dvc.lock", ".snakemake/bridge/seen.json")


def prepare(grounds: Grounds) -> Judge:
    """The judge of damage that an engine finds before it runs."""
    finished = grounds.finished

    def judge(case: Case) -> Verdict:
        random = case.random()
        with tempfile.TemporaryDirectory(dir=grounds.folder) as folder:
            project = finished.copy(Path(folder, "project"))
            what = _swapped(random, project) if random.random() < 0.4 else _damaged(random, project)
            engine = random.choice(list(COMMANDS))
            return end_state(project, finished, engine, f"{engine} after {what}")

    return judge


def _outputs(project: Project) -> list[Path]:
    """The files that the steps have made."""
    paths = [path for top in ("data", "results") for path in (project.folder / top).rglob("*") if path.is_file()]
    names = [path.relative_to(project.folder) for path in paths]
    return sorted(
        name for name in names if not IGNORED.search(str(name)) and name.name not in ("timing.json", "mine.timing.json")
    )


def _damaged(random: Random, project: Project) -> str:
    """Damage one output or record."""
    records = [Path(name) for name in RECORDS if (project.folder / name).exists()]
    name = random.choice(records if random.random() < 0.2 else _outputs(project))
    path = project.folder / name
    path.write_bytes(mutations.bytes_of(random, path.read_bytes()))
    return f"damage in {name}"


def _swapped(random: Random, project: Project) -> str:
    """Swap the files of two runs."""
    runs = sorted((project.folder / "results/tiny/runs/plain").glob("seed-*"))
    name = random.choice(["", *(path.name for path in sorted(runs[0].iterdir()) if path.name != "timing.json")])
    exchange(runs[0] / name, runs[1] / name)
    return f"{name or 'all files'} of two runs swapped"


KIND = Kind("stale", prepare, cases=40)
