"""Hash the code that each step and variant runs, so that both engines notice an edit and ignore a comment."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from pipeline_steps.closure import ROOT, digest
from pipeline_steps.command import reads, study_command
from vaeline.data import paths
from vaeline.runs.folder import StudyFolder
from vaeline.study.parts import PACKAGES, PartOptions, names
from vaeline.study.schema import Study
from vaeline.system.files import write_json

Hashes = dict[str, Any]


@study_command
@reads("variants", "dataset.name", "evaluation.features")
def main(study: Study) -> None:
    """Write the hashes of the code behind every step, which DVC takes as parameters."""
    write_hashes(study)


def write_hashes(study: Study) -> None:
    """Update the two files of hashes: those of the data set's steps, and those of the study's."""
    for path, content in {
        paths.CODE: _data_hashes(study),
        StudyFolder(study.study.name).code: _run_hashes(study),
    }.items():
        if not _holds(path, content):
            write_json(path, content)


def _holds(path: Path, content: Hashes) -> bool:
    """Whether a file of hashes has this content already; a damaged one has not."""
    try:
        return bool(json.loads(path.read_bytes()) == content)
    except (FileNotFoundError, ValueError, RecursionError):
        return False


def hashes(study: Study) -> Hashes:
    """The hash of every step's code, including the parts that the study names: {step: hash} or {step: {name: hash}}."""
    return _data_hashes(study) | _run_hashes(study)


def _data_hashes(study: Study) -> Hashes:
    dataset = f"{PACKAGES['sets']}.{study.dataset.name}"
    return {
        "download": {study.dataset.name: _hash("download", dataset)},
        "preprocess": {study.dataset.name: _hash("preprocess", dataset)},
        "classifier": _hash("classifier"),
        "reference": {study.evaluation.features.name: _hash("reference", *parts_of(study.evaluation), *_metrics())},
    }


def _run_hashes(study: Study) -> Hashes:
    parts = {name: set(parts_of(variant)) for name, variant in study.variants.items()}
    judges = set(parts_of(study.evaluation))
    return {
        "train": {name: _hash("train", *of_variant) for name, of_variant in parts.items()},
        "sample": {name: _hash("sample", *of_variant) for name, of_variant in parts.items()},
        "evaluate": {name: _hash("evaluate", *of_variant, *judges, *_metrics()) for name, of_variant in parts.items()},
        "report": _hash("report", *_metrics(), *(f"{PACKAGES['plots']}.{name}" for name in names("plots"))),
    }


def _metrics() -> list[str]:
    """The modules of all metrics, which are imported by name, out of sight."""
    files = sorted((ROOT / "vaeline/metrics").glob("*.py"))
    return [f"vaeline.metrics.{path.stem}" for path in files if not path.stem.startswith(("_", "."))]


def _hash(step: str, *parts: str) -> str:
    return digest([f"pipeline_steps.{step}", *parts])


def parts_of(value: Any) -> Iterator[str]:
    """The modules of the parts that a section of a study names, at any depth. No import statement shows them."""
    if isinstance(value, PartOptions):
        yield type(value).__module__
    if isinstance(value, BaseModel):
        value = list(vars(value).values())
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for each in value:
            yield from parts_of(each)


if __name__ == "__main__":
    main()
