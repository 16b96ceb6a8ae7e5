"""Everything that reads a file of a project, and what it makes of it.

A reader runs in a project and returns its answer: checksums of the files that it makes, or of what it read. Two answers
are equal if a user would see the same numbers and pictures.
"""

import dataclasses
import hashlib
import shutil
from collections.abc import Callable, Iterable
from contextlib import chdir
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel

from tests.campaign.isolated import Reply, call
from tests.campaign.studies import Run, World, step

Reader = Callable[[World, Run], Any]
TIMES = ("times", "timing")  # fields that hold durations


def _files(*names: str) -> list[str]:
    return [hashlib.sha256(Path(name).read_bytes()).hexdigest()[:16] for name in names]


def preprocess(world: World, run: Run) -> Any:
    step("preprocess")
    return _files(f"data/{world.data(run.study)}.h5")


def classifier(world: World, run: Run) -> Any:
    step("classifier")
    return _files(f"data/{world.data(run.study)}.classifier.safetensors")


def reference(world: World, run: Run) -> Any:
    step("reference")
    begin = f"data/{world.data(run.study)}.classifier"
    return _files(f"{begin}.reference.safetensors", f"{begin}.json")


def train(world: World, run: Run) -> Any:
    """Train from the start."""
    shutil.rmtree("checkpoints", ignore_errors=True)
    return resume(world, run)


def resume(world: World, run: Run) -> Any:
    """Train from the checkpoint that is there."""
    step("train", run)
    return _files(*(str(run.folder / name) for name in ("model.safetensors", "variant.yaml", "training.csv")))


def choose(world: World, run: Run) -> Any:
    step("choose", run)
    return _files(str(run.folder.with_name("choice.json")))


def sample(world: World, run: Run) -> Any:
    step("sample", run)
    return _files(*(str(run.folder / name) for name in ("samples.h5", "reconstructions.png", "samples.png")))


def evaluate(world: World, run: Run) -> Any:
    """Evaluate with nothing kept of an earlier evaluation."""
    shutil.rmtree("checkpoints", ignore_errors=True)
    return evaluate_again(world, run)


def evaluate_again(world: World, run: Run) -> Any:
    """Evaluate with what an earlier evaluation has kept."""
    step("evaluate", run)
    return _files(str(run.folder / "metrics.json"), str(run.folder / "evaluation.json"))


def report(world: World, run: Run) -> Any:
    """All that the report shows, up to the moment at which it draws its plots."""
    import pipeline_steps.report as module

    found: list[Any] = []

    class Seen(BaseException):
        """Ends the report; it is no error of the report."""

    def seen(findings: Any, *_: Any) -> None:
        found.append(findings)
        raise Seen

    module.RenderedPlots = seen  # type: ignore[assignment,misc]
    try:
        step("report")
    except Seen:
        return digest(found[0])
    raise AssertionError("the report drew no plots")


def table(world: World, run: Run) -> Any:
    """The numbers that the table prints."""
    from vaeline.report import comparison

    step("table")
    return digest(comparison.read(Path("results", run.study, "comparison.json")))


def load(world: World, run: Run) -> Any:
    """A run in Python: draws, reconstructions, likelihoods."""
    import vaeline

    loaded = vaeline.load(run.folder)
    test = loaded.split("test")
    images, labels = test.images[:4], test.labels[:4]
    log_prob = loaded.log_prob(images, labels, samples=10)
    return digest([loaded.sample(4, seed=1), loaded.reconstruct(images, labels), log_prob, loaded.facts, test])


def explorer(world: World, run: Run) -> Any:
    """The runs that the explorer offers; it says why it does not offer a run."""
    from vaeline.explorer import runs
    from vaeline.study.reading import load

    found = runs.find(load())
    return [str(found.folder_of(run.variant, run.seed)), *map(str, found.finished)]


STORE = (classifier, reference, train, sample, evaluate, report, load)
MODEL = (sample, evaluate, report, load, explorer)

# The readers of each file: by its place in the project, with the id of the data set and the folder of the run filled in.
OF_FILE: dict[str, tuple[Reader, ...]] = {
    "data/raw/{data}.json": (preprocess, report),
    "data/{data}.h5": STORE,
    "data/{data}.classifier.safetensors": (reference, evaluate, report),
    "data/{data}.classifier.reference.safetensors": (evaluate, evaluate_again),
    "data/{data}.classifier.json": (evaluate, evaluate_again, report),
    "results/{study}/tuning/{variant}/design.json": (choose,),
    "results/{study}/runs/{variant}/choice.json": (resume, report),
    "{run}/model.safetensors": MODEL,
    "{run}/variant.yaml": MODEL,
    "{run}/training.csv": (report,),
    "{run}/samples.h5": (evaluate, evaluate_again, report),
    "{run}/reconstructions.png": (report,),
    "{run}/samples.png": (report,),
    "{run}/metrics.json": (report,),
    "{run}/evaluation.json": (report,),
    "results/{study}/comparison.json": (table,),
    "checkpoints/{study}-{variant}-seed-{seed}-????????????????/epoch-*": (resume,),
    "checkpoints/{study}-{variant}-seed-{seed}-evaluation/*.kept": (evaluate_again,),
}
OF_RUN = (resume, sample, evaluate, report, load, explorer)  # the readers of a whole run


def files_of(world: World, run: Run, project: Path) -> dict[Path, tuple[Reader, ...]]:
    """Every file that is read for a run, relative to the project, with its readers."""
    names = {"data": world.data(run.study), "run": run.folder, **dataclasses.asdict(run)}
    return {
        path.relative_to(project): readers
        for pattern, readers in OF_FILE.items()
        for path in sorted(project.glob(pattern.format(**names)))
    }


def read(world: World, run: Run, reader: Reader, project: Path) -> Reply:
    """What a reader answers in a project, in a fork; the study of the run is the active one."""

    def within() -> Any:
        with chdir(project):
            params = Path("params.yaml")
            params.unlink(missing_ok=True)  # it is a link
            params.write_text(world.params[run.study])
            return reader(world, run)

    return call(within)


class Answers:
    """The answers of readers in an undamaged world, each found when it is first asked for."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._known: dict[tuple[Run, str], Any] = {}

    def __call__(self, run: Run, reader: Reader) -> Any:
        key = run, reader.__name__
        if key not in self._known:
            with self.world.clone() as project:
                reply = read(self.world, run, reader, project)
            assert reply.value is not None, (key, reply)
            self._known[key] = reply.value
        return self._known[key]


def digest(value: Any) -> str:
    """A checksum of nested values, arrays and data classes; durations are left out."""
    found = hashlib.sha256()
    for part in _parts(value):
        found.update(part)
    return found.hexdigest()[:16]


def _parts(value: Any) -> Iterable[bytes]:
    """The bytes of a nested value."""
    if isinstance(value, BaseModel):
        value = dict(value)
    elif dataclasses.is_dataclass(value):
        value = {each.name: getattr(value, each.name) for each in dataclasses.fields(value)}
    yield type(value).__name__.encode()
    if isinstance(value, np.ndarray):
        yield f"{value.dtype} {value.shape}".encode()
        yield value.tobytes()
    elif isinstance(value, dict):
        for key, each in sorted(value.items(), key=lambda item: repr(item[0])):
            if key not in TIMES:
                yield repr(key).encode()
                yield from _parts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _parts(each)
    else:
        yield value if isinstance(value, bytes) else repr(value).encode()
