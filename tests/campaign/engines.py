"""Runs of an engine in a scratch project that can be killed as a whole at any moment, and the state that they leave."""

import hashlib
import re
import shutil
import time
from pathlib import Path
from random import Random

from tests.campaign.isolated import TRACEBACK
from tests.campaign.outcome import LONGEST, Outcome, Verdict
from tests.workflow.launched import Launched
from tests.workflow.scratch import Project

COMMANDS = {"snakemake": ("snakemake", "--cores", "2", "all"), "dvc": ("dvc", "repro")}
BY_DVC = "if DVC has recorded it as it is, `snakemake --cores 4 all` makes it"
LOCKS = ".dvc/tmp/rwlock"  # of DVC
LIMIT = 300  # seconds, after which a run hangs
TIMES = re.compile(r"timing\.json$|^report\.html$|^pareto\.")  # files that show times
# What a killed process may leave: names that neither engine nor git sees, and the engines' own records.
IGNORED = re.compile(
    r"(^|/)(\.[^/]*\.part|__pycache__|\.snakemake|\.dvc|\.cache|\.git|\.lock|\.sources|live)(/|$)|(^|/)checkpoints/"
)


class Running(Launched):
    """An engine at work in a project.

    Args:
        project: that has a launcher.
        engine: `snakemake` or `dvc`.
    """

    def __init__(self, project: Project, engine: str) -> None:
        assert project.launcher
        super().__init__(project.launcher, COMMANDS[engine], project.folder, project.environment, LIMIT)

    def fault(self) -> Verdict | None:
        """The verdict on a run that hung or printed a traceback; None for any other."""
        if self.status is None:
            return Verdict(Outcome.HANG, "", self.said()[-LONGEST:])
        if found := TRACEBACK.search(said := self.said()):
            return Verdict(Outcome.TRACEBACK, "", said[found.start() :][:LONGEST])
        return None


def run(project: Project, engine: str) -> Running:
    """Run an engine to its end."""
    running = Running(project, engine)
    running.ended()
    return running


def pause(random: Random, most: float) -> float:
    """Wait for a random time; returns how long, in seconds."""
    seconds = random.uniform(0, most)
    time.sleep(seconds)
    return seconds


def end_state(project: Project, reference: Project, engine: str, what: str) -> Verdict:
    """Run an engine to its end, and compare all that is there then with the reference.

    A run that refuses with a sentence may be repeated once, after Snakemake if it says that this helps. If it names DVC's records or its table of locks, which DVC does not write in one step, what docs/trust.md says is done before.
    """
    for _ in range(2):
        running = run(project, engine)
        if fault := running.fault():
            return Verdict(fault.outcome, what, fault.said)
        if running.status == 0:
            break
        if "dvc.lock" in running.said():
            shutil.copy(reference.folder / "dvc.lock", project.folder)
        if LOCKS in running.said():
            (project.folder / LOCKS).unlink()
        if BY_DVC in running.said():
            run(project, "snakemake")
    else:  # everything is as it was, and it still refuses
        return Verdict(Outcome.HANG, what, running.said()[-LONGEST:])
    return compared(project, reference, what)


def compared(project: Project, reference: Project, what: str) -> Verdict:
    """Whether a finished project is that of the reference, whether both engines are settled, and whether nothing is left over."""
    found, right = checksums(project), checksums(reference)
    differing = sorted(name for name in found.keys() | right.keys() if found.get(name) != right.get(name))
    if differing:
        return Verdict(Outcome.SILENT, what, f"differs in {', '.join(differing)[:LONGEST]}")
    if stray := sorted(_visible(project) - _visible(reference)):
        return Verdict(Outcome.SILENT, what, f"left over: {', '.join(stray)[:LONGEST]}")
    try:
        settled = project.settled()
    except AssertionError as error:
        return Verdict(Outcome.TRACEBACK, what, str(error)[-LONGEST:])
    return Verdict(
        Outcome.RIGHT if settled else Outcome.SILENT, what, "" if settled else "an engine finds something to do"
    )


def checksums(project: Project) -> dict[str, str]:
    """The checksum of each file of data and results, except those that show times."""
    names = (name for name in _visible(project) if name.startswith(("data/", "results/")))
    kept = [name for name in names if not TIMES.search(Path(name).name)]
    return {name: hashlib.sha256((project.folder / name).read_bytes()).hexdigest() for name in kept}


def _visible(project: Project) -> set[str]:
    """The files that git or DVC may see."""
    names = (str(path.relative_to(project.folder)) for path in project.folder.rglob("*") if path.is_file())
    return {name for name in names if not IGNORED.search(name)}
