"""The evaluation.json of a run: its metrics, how each was made, and what was measured, under a seal."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from vaeline.data.paths import DataFiles
from vaeline.runs.folder import EVALUATION, again_for
from vaeline.system.errors import reading_ours
from vaeline.system.files import json_sha256
from vaeline.system.sealed_files import read_sealed, write_sealed


class MeasuredOn(BaseModel):
    """What was measured, and what it was measured with, by SHA-256. Files that were not needed are None."""

    model_config = ConfigDict(strict=True, extra="forbid")

    variant: str
    seed: int  # of the run
    weights_sha256: str  # of model.safetensors
    samples_sha256: str  # of samples.h5
    data: dict[str, str]  # split -> checksum of its images
    classifier_sha256: str | None = None  # of the file of the classifier
    statistics_sha256: str | None = None  # of the reference's statistics
    numbers_sha256: str | None = None  # of the reference's numbers

    @property
    def files(self) -> dict[str, str]:
        """The SHA-256 of each file that was needed, by the names of `measured_with`."""
        given = {
            "classifier": self.classifier_sha256,
            "statistics": self.statistics_sha256,
            "numbers": self.numbers_sha256,
        }
        return {name: checksum for name, checksum in given.items() if checksum is not None}


class Evaluation(BaseModel):
    """The content of an evaluation.json."""

    model_config = ConfigDict(strict=True, extra="forbid")

    of: MeasuredOn
    settings: dict[str, Any]  # dotted key of params.yaml -> the value that the metrics were made with
    metrics: dict[str, Any]  # metric -> its value and how it was made, or {"dash": why it has no meaning}

    @property
    def checksum(self) -> str:
        """SHA-256 of all values: the same however the file writes them."""
        return json_sha256(self.model_dump())


def measured_with(files: DataFiles, space: str) -> dict[str, Path]:
    """The files of a data set that runs are measured with.

    Args:
        files: of the data set.
        space: the name of the feature space.
    """
    return {"classifier": files.classifier, "statistics": files.statistics(space), "numbers": files.metrics(space)}


def write_evaluation(folder: Path, of: MeasuredOn, settings: Mapping[str, Any], metrics: Mapping[str, Any]) -> None:
    """Write the evaluation.json of a run.

    Raises:
        ValueError: it contains a NaN or an infinity.
    """
    write_sealed(folder / EVALUATION, {"of": of.model_dump(), "settings": dict(settings), "metrics": dict(metrics)})


def read_evaluation(folder: Path) -> Evaluation:
    """Read the evaluation.json of a run.

    Raises:
        UserError: it is missing, damaged, was edited, or is of an older version.
    """
    path = folder / EVALUATION
    again = again_for(path, "evaluate")
    with reading_ours(path, again):
        return Evaluation.model_validate(read_sealed(path, again))
