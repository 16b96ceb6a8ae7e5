"""Kills of whole runs under both engines: a run that was killed at any moments ends as if it had not been.

A case is a chain: a run is killed again and again, by SIGKILL to all of its processes, and then runs to its end.
"""

import tempfile
from pathlib import Path
from random import Random

from tests.campaign.engines import COMMANDS, Running, end_state
from tests.campaign.kind import Grounds, Judge, Kind
from tests.campaign.outcome import Case, Verdict
from tests.workflow.scratch import Project

RUN = 6.0  # seconds, about the time that a run takes
ENDED = " (had ended)"  # such a kill is not counted
KILLS, FEW = 10, 1  # in a chain, and in one of a short campaign
INTO = 0.6  # seconds after the start of a step
STEPS = (
    "code", "download", "preprocess", "classifier", "reference", "design", "choose", "train", "sample", "evaluate", "report",
)  # fmt: skip


def prepare(grounds: Grounds) -> Judge:
    """The judge of chains of kills."""
    fresh, finished = grounds.fresh, grounds.finished
    kills = FEW if grounds.small else KILLS

    def judge(case: Case) -> Verdict:
        random = case.random()
        with tempfile.TemporaryDirectory(dir=grounds.folder) as folder:
            project = (finished if random.random() < 0.2 else fresh).copy(Path(folder, "project"))
            other_settings = random.random() < 0.3
            project.edit(lambda params: params["evaluation"]["likelihood"].update(samples=11 if other_settings else 10))
            engine, done = random.choice(list(COMMANDS)), []
            for place in range(kills):
                engine = random.choice(list(COMMANDS)) if random.random() < 0.2 else engine
                words, fault = _killed(random, project, engine, RUN / 2 if place else RUN)
                done.append(words)
                if fault:
                    break
            project.edit(lambda params: params["evaluation"]["likelihood"].update(samples=10))
            what = ", ".join(done)
            verdict = fault or end_state(project, finished, random.choice(list(COMMANDS)), what)
        return Verdict(verdict.outcome, what, verdict.said, tries=sum(ENDED not in words for words in done))

    return judge


def _killed(random: Random, project: Project, engine: str, most: float) -> tuple[str, Verdict | None]:
    """Start an engine and kill it, or the process that it started last; returns what was done, and a fault if there is one."""
    running = Running(project, engine)
    moment, newest = random.uniform(0, most), random.random() < 0.2
    step = random.choice(STEPS) if random.random() < 0.4 else ""
    if step:
        moment = random.uniform(0, INTO)
        while not running.started(f"pipeline_steps.{step}") and not running.ended(0.005):
            pass
    ended = running.ended(moment)
    if newest:
        running.kill_newest()
        running.ended()
    else:
        running.kill()
    place = f" after {step} began" if step else ""
    return f"{engine} {moment:.2f} s{place}{' its step' if newest else ''}{ENDED if ended else ''}", running.fault()


KIND = Kind("kills", prepare, cases=18)
