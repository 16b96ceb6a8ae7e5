"""A study's runs as one record: what each measured, and which are missing."""

import csv
from dataclasses import dataclass, field
from io import BytesIO
from itertools import count, product
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import yaml
from PIL import Image
from pydantic import BaseModel, FiniteFloat, TypeAdapter

from vaeline import drawn
from vaeline.errors import UserError
from vaeline.evaluation.record import Record, parse
from vaeline.params import Published, Study, StudySection
from vaeline.parts import Entry

T = TypeVar("T")

# What the report reads of a run, in the order in which it appears, and what its absence says.
FILES = {
    "training.csv": "not trained",
    "model.safetensors": "not trained",
    "variant.yaml": "not trained",
    "samples.h5": "trained, not sampled",
    "reconstructions.png": "trained, not sampled",
    "samples.png": "trained, not sampled",
    "metrics.json": "sampled, not evaluated",
    "evaluation.json": "sampled, not evaluated",
}

# What the report reads of samples.h5, where it is there.
DRAWN = (
    "labels", "test_index", "codes", "prior", "posterior", "posterior_log_p", "low_posterior_codes", "traversals",
    "switched", "switched_labels", "interpolations", "interpolations_through_flow", "reconstruction_errors",
)  # fmt: skip
MOST_FAILURES = 10  # images of each kind


class Time(Entry):
    """A step's entry in timing.json."""

    seconds: FiniteFloat
    host: str
    peak_bytes: int | None = None  # of memory; a step of an older version noted none


class DescribedFacts(BaseModel):
    """Of what a run's variant.yaml says of its data, what the report reads."""

    levels: int
    label_names: list[str] = []
    label_values: list[list[str]] = []


class Description(BaseModel):
    """A run's variant.yaml, as far as the report reads it."""

    variant: dict[str, Any]
    training: dict[str, Any]
    facts: DescribedFacts

    def is_of(self, study: Study, variant: str) -> bool:
        """Whether a study would train the run as it was trained."""
        wanted = study.variants[variant].model_dump(mode="json"), study.training.model_dump(mode="json")
        return (self.variant, self.training) == wanted


METRICS, TIMES = TypeAdapter(dict[str, FiniteFloat]), TypeAdapter(dict[str, Time])


@dataclass(frozen=True)
class Run:
    """A variant trained with one seed."""

    variant: str
    seed: int
    evaluation: dict[str, dict[str, Any]]  # figure -> its value and how it was made, or {"dash": why it has no meaning}
    training: dict[str, np.ndarray]  # column of training.csv -> (epochs,), NaN where an epoch has no such value
    reconstructions: bytes  # PNG
    samples: bytes  # PNG
    drawn: dict[str, np.ndarray]  # of DRAWN, what samples.h5 holds
    failures: dict[
        str, np.ndarray
    ]  # images at their worst: `reconstructions`, `low_posterior`; `test_index` of the former
    facts: DescribedFacts  # of its images
    times: dict[str, Time]  # step -> what it took, where it was noted

    @property
    def seconds(self) -> dict[str, float]:
        """Wall times: step -> seconds."""
        return {step: time.seconds for step, time in self.times.items()}

    @property
    def levels(self) -> int:
        """That a pixel can take; 0: the data are points."""
        return self.facts.levels

    @property
    def metrics(self) -> dict[str, float]:
        """The figures alone: figure -> value."""
        return Record(self.evaluation).metrics


@dataclass(frozen=True)
class Results:
    """The runs that a study names: those that are there, and why the others are not."""

    study: StudySection
    runs: list[Run]
    missing: dict[tuple[str, int], str]  # (variant, seed) -> "trained, not sampled"
    published: dict[str, Published] = field(default_factory=dict)  # figures that the study holds ours against

    def of(self, variant: str) -> list[Run]:
        """The runs of a variant, in the order of the study's seeds."""
        return [run for run in self.runs if run.variant == variant]


def read(folder: Path, study: Study, tolerant: bool = False) -> Results:
    """Read the runs of `study` out of `folder` (results/<study>/runs); others are left alone.

    Args:
        folder: of the runs.
        study: whose runs they are.
        tolerant: count a run of which a file cannot be read, as one of another version, among the missing ones.

    Raises:
        UserError: a file of a run cannot be read.
    """
    runs, missing = [], {}
    for variant, seed in product(study.study.variants, study.study.seeds):
        try:
            found = _read_run(folder / variant / f"seed-{seed}", study, variant, seed)
        except UserError as error:
            if not tolerant:
                raise
            found = str(error)
        if isinstance(found, Run):
            runs.append(found)
        else:
            missing[variant, seed] = found
    return Results(study.study, runs, missing, study.published)


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


def described(path: Path) -> Description:
    """What a run's variant.yaml says.

    Raises:
        UserError: it is damaged.
    """
    try:
        return Description.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, ValueError) as error:
        raise _unreadable(path, "a run's description") from error


def _unused(path: Path) -> Path:
    if not path.exists():
        return path
    return next(other for number in count(2) if not (other := path.with_name(f"{path.name}.{number}")).exists())


def _read_run(folder: Path, study: Study, variant: str, seed: int) -> Run | str:
    """A run, or why it is missing."""
    absent = [state for name, state in FILES.items() if not (folder / name).exists()]
    if absent:
        return absent[0]
    made = described(folder / "variant.yaml")
    if not made.is_of(study, variant):
        return "trained under other parameters"
    found = drawn.arrays(folder / "samples.h5", DRAWN)
    return Run(
        variant,
        seed,
        evaluation=_read_evaluation(folder),
        training=_read_training(folder / "training.csv"),
        reconstructions=_read_picture(folder / "reconstructions.png"),
        samples=_read_picture(folder / "samples.png"),
        drawn=found,
        failures=_failures(folder / "samples.h5", found),
        facts=made.facts,
        times=read_times(folder / "timing.json"),
    )


def _failures(path: Path, found: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The worst reconstructions, worst first, and the samples that the aggregate posterior covers least, as far as there are."""
    failures = {"low_posterior": drawn.rows(path, "low_posterior", range(MOST_FAILURES))}
    if "reconstruction_errors" in found:
        worst = found["reconstruction_errors"].argsort()[::-1][:MOST_FAILURES]
        failures |= {
            "reconstructions": drawn.rows(path, "reconstructions", worst),
            "test_index": found["test_index"][worst],
        }
    return {name: images for name, images in failures.items() if len(images)}


def read_times(path: Path) -> dict[str, Time]:
    """What steps took, by their names; empty where there is no such file.

    Raises:
        UserError: the file is damaged.
    """
    return _read(TIMES, path) if path.exists() else {}


def _read_evaluation(folder: Path) -> dict[str, dict[str, Any]]:
    """How each figure was made, and that it is the one that metrics.json has."""
    path = folder / "evaluation.json"
    try:
        record = parse(path.read_bytes())
    except ValueError as error:
        raise _unreadable(path, "an account of figures") from error
    if record.metrics != _read(METRICS, folder / "metrics.json"):
        raise UserError(
            f"metrics.json and evaluation.json of {folder} are of two evaluations; evaluate the run again, with "
            f"`python -m pipeline_steps.evaluate --variant {folder.parent.name} --seed {folder.name.removeprefix('seed-')}`."
        )
    return record.evaluation


def _read(content: TypeAdapter[T], path: Path) -> T:
    try:
        return content.validate_json(path.read_bytes(), strict=True)
    except ValueError as error:
        raise _unreadable(path, "JSON of figures") from error


def _read_picture(path: Path) -> bytes:
    picture = path.read_bytes()
    try:
        with Image.open(BytesIO(picture), formats=["PNG"]) as image:
            image.verify()
    except (OSError, SyntaxError) as error:
        raise _unreadable(path, "a PNG") from error
    return picture


def _read_training(path: Path) -> dict[str, np.ndarray]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            rows = list(reader)
        return {name: np.array([float(row[name] or "nan") for row in rows]) for name in reader.fieldnames or ()}
    except (TypeError, ValueError) as error:
        raise _unreadable(path, "a table of numbers") from error


def _unreadable(path: Path, expected: str) -> UserError:
    return UserError(
        f"{path} is damaged (it should be {expected}); delete it and run the study again, which makes it anew."
    )
