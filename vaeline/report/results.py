"""The runs of a study as one record: what each measured, and which are missing."""

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from pydantic import FiniteFloat, TypeAdapter

from vaeline.data.facts import Facts
from vaeline.evaluation.record import Record, parse
from vaeline.report.common_ground import CommonGround
from vaeline.runs import samples_file
from vaeline.runs.evaluation_file import Evaluation
from vaeline.runs.folder import CURVES, DRAWN, EVALUATION, FILES, METRICS, TIMING, RunKey, again_for, run_in
from vaeline.runs.identity import about_samples_of, description_of, evaluation_of, require_files
from vaeline.runs.samples_file import (
    HIGH_POSTERIOR,
    LOW_POSTERIOR,
    RECONSTRUCTION_ERRORS,
    RECONSTRUCTIONS,
    SAMPLES,
    TEST_INDEX,
    About,
)
from vaeline.runs.timing import Time, read_times
from vaeline.runs.tuning import Choice
from vaeline.study.schema import Published, Study, StudySection
from vaeline.study.settings import differences
from vaeline.study.step_settings import again, settings_of
from vaeline.system.errors import UserError, in_words, reading_ours
from vaeline.system.files import read_json

OTHERWISE = "under other parameters"  # how the reason ends if a run does not fit params.yaml
MOST_FAILURES = samples_file.FAILURES  # images of each kind
FIRST_SAMPLES = 16  # that the head of the page shows
VALUES = TypeAdapter(dict[str, FiniteFloat])


@dataclass(frozen=True)
class Run:
    """A variant trained with one seed."""

    variant: str
    seed: int
    evaluation: dict[str, dict[str, Any]]  # metric -> its value and how it was made, or {"dash": why it has no meaning}
    training: dict[str, np.ndarray]  # column of training.csv -> (epochs,), NaN where an epoch has no such value
    reconstructions: bytes  # PNG
    samples: bytes  # PNG
    drawn: dict[str, np.ndarray]  # the small datasets of samples.h5
    # The worst images: `reconstructions` with their `test_index`, `low_posterior` and `high_posterior`.
    failures: dict[str, np.ndarray]
    facts: Facts  # of its images
    times: dict[str, Time]  # step -> its wall time and memory, if they were recorded
    weights_sha256: str  # of its model.safetensors
    evaluation_sha256: str  # of the values in its evaluation.json
    first_samples: np.ndarray | None = None  # a few, as they are in samples.h5; None where only metrics are read

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
    settings: dict[str, Any] = field(
        default_factory=dict
    )  # of the study: key -> the value that the runs were made with

    choices: Mapping[str, Choice] = field(default_factory=dict)  # variant -> what its tuning has chosen

    @property
    def tuned(self) -> dict[str, Choice]:
        """The variants that were tuned."""
        return {variant: choice for variant, choice in self.choices.items() if choice.trials}

    def of(self, variant: str) -> list[Run]:
        """The runs of a variant, in the order of the study's seeds."""
        return [run for run in self.runs if run.variant == variant]


def read(
    folder: Path,
    study: Study,
    tolerant: bool = False,
    reference: Record | None = None,
    common: CommonGround | None = None,
    choices: Mapping[str, Choice] | None = None,
) -> Results:
    """Read the runs of `study` out of `folder` (results/<study>/runs); others are left alone.

    Every file of a run is verified, and must be of this run.

    Args:
        folder: of the runs.
        study: whose runs they are.
        tolerant: count a run among the missing ones if a file of it cannot be read, as after an update.
        reference: numbers of the data set; None if they are unavailable.
        common: what the runs must have in common; what it leaves open is that of the first run.
        choices: variant -> what its tuning has chosen, which its runs must have been trained with; one that is left out may be any.

    Raises:
        UserError: a file of a run cannot be read, or is of another run.
    """
    runs, missing, common, choices = [], {}, common or CommonGround(), choices or {}
    for variant, seed in product(study.study.variants, study.study.seeds):
        try:
            found = _read_run(run_in(folder, variant, seed), study, RunKey(variant, seed), common, choices.get(variant))
        except (UserError, OSError) as error:
            if not tolerant:
                raise
            found = str(in_words(error))
        if isinstance(found, Run):
            runs.append(found)
        else:
            missing[variant, seed] = found
    settings = settings_of(study, "report")
    return Results(study.study, runs, missing, study.published, reference or Record(), settings, choices)


def _read_run(folder: Path, study: Study, run: RunKey, common: CommonGround, choice: Choice | None) -> Run | str:
    """A run, or why it is missing."""
    absent = [state for name, state in FILES.items() if not (folder / name).exists()]
    if absent:
        return absent[0]
    made = description_of(folder, run)
    if not made.is_of(study, run.variant):
        return f"trained {OTHERWISE}"
    if choice and differences(made.tuned, choice.point):
        return "trained with other values than its tuning has chosen"
    of_samples, measured = about_samples_of(folder, made), evaluation_of(folder, made)
    if why := _why_made_otherwise(study, run.variant, of_samples, measured):
        return why
    require_files(folder, made, of_samples, measured)
    common.admit(folder, made.facts, measured.of)
    found = samples_file.arrays(folder / DRAWN, samples_file.SMALL)
    reconstructions, samples = (_read_picture(folder / name) for name in samples_file.PICTURES.values())
    return Run(
        *run,
        evaluation=_read_metrics(folder, run, measured),
        training=_read_training(folder / CURVES),
        reconstructions=reconstructions,
        samples=samples,
        drawn=found,
        failures=_failures(folder / DRAWN, found),
        facts=made.facts,
        times=read_times(folder / TIMING),
        weights_sha256=made.weights_sha256,
        evaluation_sha256=measured.checksum,
        first_samples=samples_file.rows(folder / DRAWN, SAMPLES, range(FIRST_SAMPLES)),
    )


def _why_made_otherwise(study: Study, variant: str, of_samples: About, measured: Evaluation) -> str:
    """Which step after the training had other settings than the study has; empty if none."""
    made = {"sample": of_samples.settings, "evaluate": measured.settings}
    other = [step for step, settings in made.items() if differences(settings, settings_of(study, step, variant))]
    return f"{other[0]}d {OTHERWISE}" if other else ""


def _failures(path: Path, found: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The worst reconstructions, worst first, and the low-posterior and high-posterior samples that are covered least, if there are any."""
    failures = {name: samples_file.rows(path, name, range(MOST_FAILURES)) for name in (LOW_POSTERIOR, HIGH_POSTERIOR)}
    if RECONSTRUCTION_ERRORS in found:
        worst = found[RECONSTRUCTION_ERRORS].argsort()[::-1][:MOST_FAILURES]
        failures |= {
            RECONSTRUCTIONS: samples_file.rows(path, RECONSTRUCTIONS, worst),
            TEST_INDEX: found[TEST_INDEX][worst],
        }
    return {name: images for name, images in failures.items() if len(images)}


def _read_metrics(folder: Path, run: RunKey, measured: Evaluation) -> dict[str, dict[str, Any]]:
    """How each metric was made; refuse metrics.json and evaluation.json of two evaluations."""
    with reading_ours(folder / EVALUATION, again("evaluate", run)):
        record = parse(json.dumps(measured.metrics))
    if record.metrics != read_json(VALUES, folder / METRICS, again("evaluate", run)):
        raise UserError(f"{METRICS} and {EVALUATION} of {folder} are of two evaluations; {again('evaluate', run)}.")
    return record.evaluation


def _read_picture(path: Path) -> bytes:
    with reading_ours(path, again_for(path, "sample")):
        picture = path.read_bytes()
        with Image.open(BytesIO(picture), formats=["PNG"]) as image:
            image.verify()
        return picture


def _read_training(path: Path) -> dict[str, np.ndarray]:
    with reading_ours(path, again_for(path, "train")), path.open(encoding="utf-8", newline="") as file:
        names, *rows = csv.reader(file)
        if "epoch" not in names or len(set(names)) < len(names) or {len(row) for row in rows} != {len(names)}:
            raise ValueError("expected a table with a column epoch, and the same columns in each row")
        values = [[float(cell or "nan") for cell in row] for row in rows]
        return dict(zip(names, np.array(values).T, strict=True))
