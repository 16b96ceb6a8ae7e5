"""The runs of a study as one record: what each measured, and which are missing."""

import csv
from dataclasses import dataclass, field
from io import BytesIO
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from pydantic import FiniteFloat, TypeAdapter

from vaeline.evaluation.record import Record, parse
from vaeline.runs import samples_file
from vaeline.runs.description import DescribedFacts, described
from vaeline.runs.folder import FILES, read_json, unreadable
from vaeline.runs.timing import Time, read_times
from vaeline.study.schema import Published, Study, StudySection
from vaeline.system.errors import UserError

# What the report reads of samples.h5, if it is there.
DRAWN = (
    "labels", "test_index", "codes", "prior", "posterior", "posterior_log_p", "low_posterior_codes", "traversals",
    "switched", "switched_labels", "interpolations", "interpolations_through_flow", "reconstruction_errors",
)  # fmt: skip
MOST_FAILURES = 10  # images of each kind
METRICS = TypeAdapter(dict[str, FiniteFloat])


@dataclass(frozen=True)
class Run:
    """A variant trained with one seed."""

    variant: str
    seed: int
    evaluation: dict[str, dict[str, Any]]  # metric -> its value and how it was made, or {"dash": why it has no meaning}
    training: dict[str, np.ndarray]  # column of training.csv -> (epochs,), NaN where an epoch has no such value
    reconstructions: bytes  # PNG
    samples: bytes  # PNG
    drawn: dict[str, np.ndarray]  # of DRAWN, what samples.h5 holds
    # The worst images: `reconstructions` with their `test_index`, and `low_posterior`.
    failures: dict[str, np.ndarray]
    facts: DescribedFacts  # of its images
    times: dict[str, Time]  # step -> its wall time and memory, if they were recorded

    @property
    def seconds(self) -> dict[str, float]:
        """Wall times: step -> seconds."""
        return {step: time.seconds for step, time in self.times.items()}

    @property
    def levels(self) -> int:
        """The number of levels of a pixel; 0 if the data are points."""
        return self.facts.levels

    @property
    def metrics(self) -> dict[str, float]:
        """The numbers alone: metric -> value."""
        return Record(self.evaluation).metrics


@dataclass(frozen=True)
class Results:
    """The runs that a study names: those that are finished, and why the others are missing."""

    study: StudySection
    runs: list[Run]
    missing: dict[tuple[str, int], str]  # (variant, seed) -> "trained, not sampled"
    published: dict[str, Published] = field(default_factory=dict)  # values out of papers
    reference: Record = field(default_factory=Record)  # numbers of the data set that give metrics their scale

    def of(self, variant: str) -> list[Run]:
        """The runs of a variant, in the order of the study's seeds."""
        return [run for run in self.runs if run.variant == variant]


def read(folder: Path, study: Study, tolerant: bool = False, reference: Record | None = None) -> Results:
    """Read the runs of `study` out of `folder` (results/<study>/runs); others are left alone.

    Args:
        folder: of the runs.
        study: whose runs they are.
        tolerant: count a run among the missing ones if a file of it cannot be read, as after an update.
        reference: numbers of the data set; None if they are unavailable.

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
    return Results(study.study, runs, missing, study.published, reference or Record())


def _read_run(folder: Path, study: Study, variant: str, seed: int) -> Run | str:
    """A run, or why it is missing."""
    absent = [state for name, state in FILES.items() if not (folder / name).exists()]
    if absent:
        return absent[0]
    made = described(folder / "variant.yaml")
    if not made.is_of(study, variant):
        return "trained under other parameters"
    found = samples_file.arrays(folder / "samples.h5", DRAWN)
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
    """The worst reconstructions, worst first, and the samples that the aggregate posterior covers least, if there are any."""
    failures = {"low_posterior": samples_file.rows(path, "low_posterior", range(MOST_FAILURES))}
    if "reconstruction_errors" in found:
        worst = found["reconstruction_errors"].argsort()[::-1][:MOST_FAILURES]
        failures |= {
            "reconstructions": samples_file.rows(path, "reconstructions", worst),
            "test_index": found["test_index"][worst],
        }
    return {name: images for name, images in failures.items() if len(images)}


def _read_evaluation(folder: Path) -> dict[str, dict[str, Any]]:
    """How each metric was made; refuse metrics.json and evaluation.json of two evaluations."""
    path = folder / "evaluation.json"
    try:
        record = parse(path.read_bytes())
    except ValueError as error:
        raise unreadable(path, "the metrics of a run and how each was made") from error
    if record.metrics != read_json(METRICS, folder / "metrics.json"):
        raise UserError(
            f"metrics.json and evaluation.json of {folder} are of two evaluations; evaluate the run again, with "
            f"`python -m pipeline_steps.evaluate --variant {folder.parent.name} --seed {folder.name.removeprefix('seed-')}`."
        )
    return record.evaluation


def _read_picture(path: Path) -> bytes:
    picture = path.read_bytes()
    try:
        with Image.open(BytesIO(picture), formats=["PNG"]) as image:
            image.verify()
    except (OSError, SyntaxError) as error:
        raise unreadable(path, "a PNG") from error
    return picture


def _read_training(path: Path) -> dict[str, np.ndarray]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            rows = list(reader)
        return {name: np.array([float(row[name] or "nan") for row in rows]) for name in reader.fieldnames or ()}
    except (TypeError, ValueError) as error:
        raise unreadable(path, "a table of numbers") from error
