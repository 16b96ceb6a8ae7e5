"""The numbers of a reference as a file: floors, ceilings and other scales of a data set."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from vaeline.data.facts import Facts
from vaeline.data.paths import DataFiles
from vaeline.evaluation.over_judges import together
from vaeline.evaluation.record import Record, parse
from vaeline.evaluation.shared_files import AGAIN
from vaeline.study.schema import Study
from vaeline.study.step_settings import require_settings, settings_of
from vaeline.system.errors import UserError, reading_ours
from vaeline.system.files import sha256
from vaeline.system.sealed_files import read_sealed

# Keys of the two files of a reference. Each names the other: the statistics the metrics, and the numbers the statistics.
METRICS, METRICS_SHA256, STATISTICS_SHA256 = "metrics", "metrics_sha256", "statistics_sha256"


def read_numbers(path: Path) -> tuple[Record, dict[str, Any]]:
    """Read the numbers of a reference, and the rest of the file.

    Returns:
        The numbers, none if the data set has no reference; and the content of the file.

    Raises:
        UserError: the file is missing or damaged.
    """
    content = read_sealed(path, AGAIN["reference"])
    with reading_ours(path, AGAIN["reference"]):
        return (Record() if "skipped" in content else parse(json.dumps(content[METRICS]))), content


def read_numbers_of(study: Study, facts: Facts | None, runs: Iterable[Mapping[str, Mapping[str, Any]]]) -> Record:
    """Read the numbers that give scale to the metrics of a study's runs.

    Args:
        study: as params.yaml has it.
        facts: of its store; None if the store is not there.
        runs: what each run measured, as in its evaluation.json.

    Raises:
        UserError: a file is missing or damaged, or is of other settings, images, features or classifier than the runs.
    """
    files, space = DataFiles(study.dataset.id), study.evaluation.features.name
    path, statistics = files.metrics(space), files.statistics(space)
    record, content = read_numbers(path)
    require_settings(path, content.get("settings", {}), settings_of(study, "reference"), AGAIN["reference"])
    if "skipped" in content:
        return record
    if statistics.exists() and sha256(statistics) != content.get(STATISTICS_SHA256):
        raise UserError(f"{statistics} is not the file that {path} was written with; {AGAIN['reference']}.")
    if facts and (differ := [name for name, of in content["data"].items() if of != facts.checksums.get(name)]):
        raise UserError(
            f"{path} is of another {differ[0]} split than that of {facts.dataset_id}; {AGAIN['reference']}."
        )
    for evaluation in runs:
        for name, how in evaluation.items():
            _check_measured_alike(path, content, name, how)
    return record


def _check_measured_alike(path: Path, content: Mapping[str, Any], name: str, how: Mapping[str, Any]) -> None:
    """Check that a metric of a run was measured with the classifier and the features of the reference."""
    weights = {judge: space["weights"] for judge, space in content["spaces"].items()}
    for key, of_judges in (("judge", content["judges"]), ("weights", weights)):
        ours = together(of_judges) if of_judges else None  # no classifier judges images without labels
        if how.get(key, ours) != ours:
            raise UserError(
                f"{name} of a run was measured with another {'classifier' if key == 'judge' else 'feature space'} than {path}; "
                "evaluate the runs again, or make the reference again with `python -m pipeline_steps.reference`."
            )
