"""Kills of whole runs under both engines: a run that was killed at any moments ends as if it had not been.

A case is a chain: a run is killed again and again, by SIGKILL to all of its processes, and then runs to its end.
"""

import tempfile
from pathlib import Path

from tests.campaign.engines import COMMANDS, Running, end_state
from tests.campaign.kind import Grounds, Judge, Kind
from tests.campaign.outcome import Case, Verdict

RUN = 6.0  # seconds, about the time that a run takes
KILLS, FEW = 10, 4  # in a chain, and in one of a short campaign


def prepare(grounds: Grounds) -> Judge:
    """The judge of chains of kills."""
    fresh, finished = grounds.fresh, grounds.finished
    kills = FEW if grounds.small else KILLS

    def judge(case: Case) -> Verdict:
        random = case.random()
        with tempfile.TemporaryDirectory(dir=grounds.folder) as folder:
            project = (finished if random.random() < 0.2 else fresh).copy(Path(folder, "project"))
            if random.random() < 0.3:
                project.edit(lambda params: params["evaluation"].update(importance_samples=11))
            engine, done, done_by = random.choice(list(COMMANDS)), 0, []
            while done < kills:
                if random.random() < 0.2:
                    engine = random.choice(list(COMMANDS))
                running = Running(project, engine)
                moment = random.uniform(0, RUN / 2 if done else RUN)
                ended = running.wait(moment)
                newest = random.random() < 0.2
                running.kill_newest() if newest else running.kill()
                running.wait()
                done += 1
                done_by.append(f"{engine} {moment:.2f} s{' step' if newest else ''}{' (ended)' if ended else ''}")
                if fault := running.fault():
                    return Verdict(fault.outcome, ", ".join(done_by), fault.said, done)
            project.edit(lambda params: params["evaluation"].update(importance_samples=10))
            verdict = end_state(project, finished, random.choice(list(COMMANDS)), ", ".join(done_by))
        return Verdict(verdict.outcome, verdict.what, verdict.said, done)

    return judge


KIND = Kind("kills", prepare, cases=12)
