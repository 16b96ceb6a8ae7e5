"""Train and measure the setting of a published row, in a project of its own inside results/reproduce/.

The project has a params.yaml of one variant, and the steps of the pipeline run in it one after another, so that every check of theirs
holds. A step that is stopped goes on from its checkpoint, and one that has finished takes seconds.
"""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pipeline_steps.closure import digest, forget
from pipeline_steps.code_hashes import modules_at
from pipeline_steps.file_states import ROOT
from vaeline.data import raw_images, source_fingerprint
from vaeline.data.paths import DataFiles, downloads
from vaeline.data.store import read_facts
from vaeline.report.reproduced import FOLDER, RowValues
from vaeline.runs.folder import TIMING, RunKey, StudyFolder
from vaeline.runs.timing import read_times
from vaeline.study import ready_studies
from vaeline.study.published_rows import FULL, PublishedRow, Setting, study_of
from vaeline.study.reading import PARAMS
from vaeline.study.schema import Study
from vaeline.system.errors import UserError
from vaeline.system.files import json_sha256, write_text
from vaeline.system.project import expanded
from vaeline.system.sealed_files import read_sealed
from vaeline.training.checkpoints import last_epoch

PROJECT = FOLDER / "project"
MEASURED = "measured"  # the folder of values, inside it
MOST_SHORT = 1000  # images that are measured of a training that is not whole
PATIENCE = 60.0  # seconds for a step to end after it is asked to


class OutOfTime(Exception):
    """The time is up; the message says what is left.

    Args:
        left: what is left.
        advice: what to do.
    """

    def __init__(self, left: str, advice: str = "The same command goes on from there.") -> None:
        super().__init__(left)
        self.advice = advice


class Budget:
    """The time until which steps may run.

    Args:
        minutes: from now; None for no limit.
    """

    def __init__(self, minutes: float | None) -> None:
        self.end = None if minutes is None else time.monotonic() + 60 * minutes

    @property
    def left(self) -> float | None:
        """Seconds, at least 0; None without a limit."""
        return None if self.end is None else max(0.0, self.end - time.monotonic())


@dataclass(frozen=True)
class Task:
    """A row to reproduce, at a fraction of its published length.

    Args:
        name: of the row.
        row: its content.
        setting: how its system is trained.
        fraction: of the published epochs.
        source: the folder of the data set's files; None for that of the project's downloads.
    """

    name: str
    row: PublishedRow
    setting: Setting
    fraction: float
    source: str | None = None

    @cached_property
    def published(self) -> Study:
        """The study at its published length, wherever the files of its data set are."""
        return study_of(self.row.setting, self.setting, FULL)

    @cached_property
    def shortened(self) -> Study:
        """The study at the length of the task, wherever the files of its data set are."""
        return study_of(self.row.setting, self.setting, self.fraction)

    @cached_property
    def study(self) -> Study:
        """The study of the project in which the row is trained.

        Raises:
            UserError: the data set has files, and they are not there.
        """
        if why := self.why_no_files():
            raise UserError(why)
        study, folder = self.shortened, self._folder()
        if folder is None:
            return study
        return study.model_copy(update={"dataset": study.dataset.model_copy(update={"source": str(folder)})})

    def why_no_files(self) -> str:
        """That the files of the data set are not there; empty if they are, or if it has none."""
        folder, dataset = self._folder(), self.shortened.dataset.name
        if folder is None or folder.is_dir():
            return ""
        return (
            f"Row {self.name} needs the files of {dataset}, and there is no folder {folder}; name theirs by SOURCE=<folder>, or "
            f"`make use STUDY={self.setting.study}` and run `python -m pipeline_steps.download`."
        )

    def _folder(self) -> Path | None:
        """The folder of the data set's files; None if it has none."""
        name = self.shortened.dataset.name
        if raw_images.loader(name).download is None:
            return None
        return expanded(self.source or downloads(name)).absolute()

    @property
    def variant(self) -> str:
        return self.setting.variant

    @property
    def whole(self) -> bool:
        return self.shortened.training.epochs == self.published.training.epochs

    @property
    def hours(self) -> float:
        """What it takes, approximately, in CPU hours."""
        return self.setting.hours * self.fraction * len(self.setting.seeds)

    @cached_property
    def key(self) -> str:
        """The key of its result, as `key_now` returns it, when it was first asked for."""
        return self.key_now()

    def key_now(self) -> str:
        """A hash of all that decides the values: the study, how they are measured, the content of its source, and the code.

        Margins, words and verdicts are none of it. The checkpoints of its trainings have keys of their own, so that an edit of what
        measures trains nothing again.

        Raises:
            UserError: a file of the source cannot be read.
        """
        study = self.study.model_dump(mode="json")
        study["dataset"].pop("source")  # the same files in another folder are the same data
        data = source_fingerprint.of_source(self.study.dataset)
        forget()
        code = [digest(self._modules()), version("torch")]
        return json_sha256([study, self.manners(), data, code])

    def _modules(self) -> list[str]:
        """The modules of the steps that run; the rest of the code is what they import."""
        parts = [
            f"train.{self.variant}",
            f"download.{self.study.dataset.name}",
            f"preprocess.{self.study.dataset.name}",
        ]
        named = [module for part in parts for module in modules_at(self.study, part)]
        return [*named, *(f"pipeline_steps.{step}" for step in ("design", "choose", "measure"))]

    def is_of(self, found: RowValues) -> bool:
        """Whether values are of this task, and of the images that the project's store has, if there is one."""
        store = PROJECT / DataFiles(self.study.dataset.id).store
        if found.key != self.key:
            return False
        try:
            return not store.exists() or read_facts(store).checksums == found.data
        except UserError:  # it is damaged, and the steps write it anew
            return False

    def manners(self) -> list[tuple[str, list[str]]]:
        """How each run is measured: as published, and around the modes if it is a likelihood. A name, and words of the step."""
        how, metric = self.row.how, self.row.metric
        if metric == "mig":
            return [("published", ["--metric", metric])]
        of_row = ["--metric", metric, "--split", how.split, "--method", how.method, "--samples", str(how.samples)]
        found = [("published", of_row + self._images(how.images) + ["--optimum"] * self.row.closed_form)]
        if metric == "nll":
            ours = self.study.evaluation
            words = ["--metric", metric, "--split", how.split, "--method", "laplace", "--samples", "200"]
            found.append(("around_modes", words + self._images(ours.images or MOST_SHORT)))
        return found

    def _images(self, count: int | None) -> list[str]:
        if not self.whole:
            count = min(count or MOST_SHORT, MOST_SHORT)
        return [] if count is None else ["--images", str(count)]


def hardware_of(task: Task) -> list[str]:
    """What the row was trained on, in words."""
    folder = StudyFolder(task.study.study.name, PROJECT)
    times = [read_times(folder.run(task.variant, seed) / TIMING).get("train") for seed in task.setting.seeds]
    return sorted({time.hardware for time in times if time and time.hardware})


def measure(task: Task, budget: Budget) -> dict[str, list[dict[str, Any]]]:
    """Train and measure what is missing of a row.

    Returns:
        The values of each manner, one for each seed.

    Raises:
        OutOfTime: the budget is spent.
        UserError: a step failed.
    """
    (PROJECT / MEASURED).mkdir(parents=True, exist_ok=True)
    write_text(PROJECT / PARAMS, ready_studies.as_yaml(task.study))
    for words in (["download"], ["preprocess"], ["design", *_of(task)], ["choose", *_of(task)]):
        _run(words, task, budget, f"row {task.name}, step {words[0]}")
    found: dict[str, list[dict[str, Any]]] = {}
    for seed in task.setting.seeds:
        run = [*_of(task), "--seed", str(seed)]
        _run(["train", *run], task, budget, f"row {task.name}, {task.variant} seed {seed}")
        for manner, words in task.manners():
            out = Path(MEASURED, f"{task.name}-{seed}-{manner}.json")
            _run(
                ["measure", *run, *words, "--out", str(out)], task, budget, f"row {task.name}, its measurement {manner}"
            )
            found.setdefault(manner, []).append(read_sealed(PROJECT / out, "run again"))
    return found


def _of(task: Task) -> list[str]:
    return ["--variant", task.variant]


def _run(words: Sequence[str], task: Task, budget: Budget, what: str) -> None:
    """Run a step in the row's project until it ends or the time is up."""
    before, began = _epoch(task, words), time.monotonic()
    if budget.left == 0:
        raise OutOfTime(_left(what, task, before))
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    step, *options = words
    command = [sys.executable, "-m", f"pipeline_steps.{step}", *options]
    process = subprocess.Popen(command, cwd=PROJECT, env=os.environ | {"PYTHONPATH": path}, stdout=sys.stderr)
    try:
        status = process.wait(budget.left)
    except subprocess.TimeoutExpired as error:
        _end(process)  # first, since a training that lives replaces its checkpoints
        raise _out_of_time(what, task, before, _epoch(task, words), time.monotonic() - began) from error
    finally:
        _end(process)
    if status < 0:
        raise UserError(
            f"The step {step} of row {task.name} was ended by signal {-status}; free memory if the system ended it, and run again: it goes on from its checkpoint."
        )
    if status:
        raise UserError(f"The step {step} of row {task.name} failed, as said above; correct that and run again.")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a step that still runs. Its checkpoints stay: a killed step ends in the bytes that it would have had."""
    if process.poll() is None:
        process.terminate()  # a job of a shell's background ignores Ctrl-C, and so do its children
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _epoch(task: Task, words: Sequence[str]) -> int | None:
    """The last epoch of the training that a step continues; None if the step trains nothing."""
    if words[0] != "train":
        return None
    name = f"{task.study.study.name}-{RunKey(task.variant, int(words[-1]))}"
    return last_epoch(name, task.study.training.epochs, PROJECT / "checkpoints")


def _left(what: str, task: Task, epoch: int | None) -> str:
    return what if epoch is None else f"{what}, after epoch {epoch:,} of {task.study.training.epochs:,}"


def _out_of_time(what: str, task: Task, before: int | None, epoch: int | None, seconds: float) -> OutOfTime:
    """What is left of a step that was stopped, and what to do: a call in which no epoch ends would be repeated without end."""
    left = _left(what, task, epoch)
    if epoch in (None, task.study.training.epochs) or epoch != before:
        return OutOfTime(left)
    return OutOfTime(
        left,
        f"It had {seconds / 60:.2g} minutes, less than an epoch takes, and only whole epochs are kept; give more MINUTES.",
    )
