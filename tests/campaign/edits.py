"""Edits of params.yaml, of a module and of the source data while an engine runs, undone at a later moment.

Whatever the run did, both engines must end with the reference's files: a file made under an edit is never certified for
the state without it.
"""

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import yaml

from tests.campaign import mutations
from tests.campaign.engines import COMMANDS, Running, end_state, pause
from tests.campaign.kind import Grounds, Judge, Kind
from tests.campaign.outcome import Case, Verdict, worst
from tests.campaign.studies import SOURCE, png
from tests.workflow.scratch import Project

RUN = 6.0  # seconds, about the time that a run takes
VALUES = {  # dotted key -> the value that it gets
    "evaluation.likelihood.samples": 20,
    "evaluation.seed": 1,
    "training.learning_rate": 0.02,
    "training.epochs": 3,
    "classifier.epochs": 2,
    "sampling.seed": 1,
    "variants.plain.latent": 3,
    "dataset.split.seed": 1,
}


MODULES = [
    ("vaeline/system/seeds.py", ">> 1", ">> 2"),
    ("vaeline/models/likelihoods/_gaussian.py", "** 0.5", "** 0.7"),
    ("vaeline/metrics/precision_recall.py", "NEIGHBOURS = 5", "NEIGHBOURS = 3"),
]


@dataclass(frozen=True)
class Edit:
    """Another content of a file, or none."""

    path: str
    content: bytes | None
    what: str


def prepare(grounds: Grounds) -> Judge:
    """The judge of edits: one to three edits during one run."""
    fresh, finished = grounds.fresh, grounds.finished

    def judge(case: Case) -> Verdict:
        random = case.random()
        engine, other = random.sample(list(COMMANDS), 2)
        with tempfile.TemporaryDirectory(dir=grounds.folder) as folder:
            project = (finished if random.random() < 0.3 else fresh).copy(Path(folder, "project"))
            before = random.random() < 0.1
            if before:  # the edit is there when the run starts
                what = [_edited(random, project)]
                running = Running(project, engine)
            else:
                running = Running(project, engine)
                pause(random, RUN)
                what = [_edited(random, project)]
            for _ in range(random.choice([0, 0, 1])):
                pause(random, RUN / 3)
                what.append(_edited(random, project))
            if random.random() < 0.5:
                running.ended(random.uniform(0, RUN))
            else:
                running.ended()
            for _, undo in reversed(what):
                undo()
            running.ended()
            words = f"{engine}{' after ' if before else ': '}{', '.join(word for word, _ in what)}"
            if fault := running.fault():
                return Verdict(fault.outcome, words, fault.said)
            return worst(end_state(project, finished, each, words) for each in (engine, other))

    return judge


def _edited(random: Random, project: Project) -> tuple[str, Callable[[], None]]:
    """Edit a file; returns what was done, and how to undo it, with the file's time of change or with the time of now."""
    edit = random.choice(EDITS)(random, project)
    path, keep_time = project.folder / edit.path, random.random() < 0.3
    content, times = path.read_bytes(), path.stat()
    if edit.content is None:
        path.unlink()
    else:
        path.write_bytes(edit.content)

    def undo() -> None:
        path.write_bytes(content)
        if keep_time:
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))

    return f"{edit.what}{', its time restored' if keep_time else ''}", undo


def _of_params(random: Random, project: Project) -> Edit:
    key = random.choice(list(VALUES))
    *above, last = key.split(".")
    try:
        holder = content = yaml.safe_load((project.folder / "params.yaml").read_text())
        for step in above:
            holder = holder[step]
        holder[last] = VALUES[key]
    except (ValueError, LookupError, TypeError, yaml.YAMLError):  # an earlier edit has damaged it
        return _damaged_params(random, project)
    return Edit("params.yaml", yaml.safe_dump(content, sort_keys=False).encode(), key)


def _of_module(random: Random, project: Project) -> Edit:
    """A module that is imported early, a part, or a metric computes something else, in as many characters."""
    path, old, new = random.choice(MODULES)
    content = (project.folder / path).read_text()
    assert old in content or new in content
    return Edit(path, content.replace(old, new).encode(), Path(path).name)


def _of_labels(random: Random, project: Project) -> Edit:
    """Every label becomes its opposite."""
    path = f"{SOURCE}/labels.csv"
    content = (project.folder / path).read_text()
    swapped = content.replace("odd", "ODD").replace("even", "odd").replace("ODD", "even")
    return Edit(path, swapped.encode(), "labels.csv")


def _of_image(random: Random, project: Project) -> Edit:
    image = random.choice(sorted((project.folder / SOURCE).glob("*.png")))
    pixels = np.full((8, 8), random.randrange(256), np.uint8)
    return Edit(f"{SOURCE}/{image.name}", png(pixels), image.name)


def _without_image(random: Random, project: Project) -> Edit:
    image = random.choice(sorted((project.folder / SOURCE).glob("*.png")))
    return Edit(f"{SOURCE}/{image.name}", None, f"{image.name} removed")


def _one_label(random: Random, project: Project) -> Edit:
    """A single label becomes its opposite, in as many characters."""
    path = f"{SOURCE}/labels.csv"
    header, *rows = (project.folder / path).read_text().splitlines()
    at = random.randrange(len(rows))
    rows[at] = rows[at][:-1] + {"0": "1", "1": "0"}[rows[at][-1]]
    return Edit(path, ("\n".join([header, *rows]) + "\n").encode(), f"row {at} of labels.csv")


def _damaged_params(random: Random, project: Project) -> Edit:
    return Edit(
        "params.yaml",
        mutations.bytes_of(random, (project.folder / "params.yaml").read_bytes()),
        "damage in params.yaml",
    )


def _damaged_lock(random: Random, project: Project) -> Edit:
    """Damage in DVC's records, which a run may write anew meanwhile; git brings back the old ones."""
    path = project.folder / "dvc.lock"
    if not path.exists():
        return _damaged_params(random, project)
    return Edit("dvc.lock", mutations.bytes_of(random, path.read_bytes()), "damage in dvc.lock")


EDITS: tuple[Callable[[Random, Project], Edit], ...] = (
    _of_params, _of_params, _of_params, _of_module, _of_module, _of_labels, _one_label, _of_image, _of_image, _without_image, _damaged_params, _damaged_lock,
)  # fmt: skip

KIND = Kind("edits", prepare, cases=30)
