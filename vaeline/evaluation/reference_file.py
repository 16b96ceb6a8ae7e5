"""The two files of a reference: the features of the test images as safetensors, and the numbers as JSON. Each names the other."""

from dataclasses import replace
from pathlib import Path

from vaeline.data.facts import Facts
from vaeline.data.on_demand import Images, blocks
from vaeline.evaluation.image_features import from_state, to_state
from vaeline.evaluation.record import Record
from vaeline.evaluation.reference import Reference, References
from vaeline.evaluation.reference_numbers import METRICS, METRICS_SHA256, STATISTICS_SHA256, read_numbers
from vaeline.evaluation.shared_files import AGAIN
from vaeline.study.schema import Study
from vaeline.study.step_settings import require_settings, settings_of
from vaeline.system.errors import UserError, reading_ours
from vaeline.system.files import json_sha256, sha256
from vaeline.system.sealed_files import write_sealed
from vaeline.system.tensor_files import checksum, joined, parted, read_tensors, write_tensors


def write(references: References, statistics: Path, numbers: Path, study: Study) -> None:
    """Write the features of the test images as safetensors and the numbers as JSON. Each file names the other."""
    spaces = references.spaces
    about = {
        "data": dict(references.data),
        "drawn": references.drawn,
        "judges": dict(references.judges),
        "prefixes": {judge: each.real.space for judge, each in spaces.items()},
        "settings": settings_of(study, "reference"),
        "spaces": {judge: each.space for judge, each in spaces.items()},
    }
    metrics = references.record.evaluation
    tensors = joined({judge: to_state(each.real) for judge, each in spaces.items()})
    write_tensors(statistics, tensors, {**about, METRICS_SHA256: json_sha256(metrics)})
    write_sealed(numbers, {**about, STATISTICS_SHA256: sha256(statistics), METRICS: metrics})


def skip(why: str, statistics: Path, numbers: Path, study: Study) -> None:
    """Write why a data set has no reference."""
    about = {"skipped": why, "settings": settings_of(study, "reference")}
    write_tensors(statistics, {}, about)
    write_sealed(numbers, about)


def read(statistics: Path, numbers: Path, test: Images, facts: Facts, study: Study) -> References:
    """Read what `write` wrote.

    Args:
        statistics: file of features.
        numbers: file of numbers.
        test: the test images, uint8 (n, channel, height, width).
        facts: of their store.
        study: whose settings the reference must have been measured with.

    Raises:
        UserError: a file is missing, damaged, or of other settings, or the two were not written together.
    """
    record, content = read_numbers(numbers)
    file = read_tensors(statistics, AGAIN["reference"])
    about, measured = file.about, json_sha256(content.get(METRICS, {}))
    if content.get(STATISTICS_SHA256) != file.sha256 or about.pop(METRICS_SHA256, "") != measured:
        raise UserError(f"{statistics} is not the file that {numbers} was written with; {AGAIN['reference']}.")
    require_settings(statistics, about.get("settings", {}), settings_of(study, "reference"), AGAIN["reference"])
    with reading_ours(statistics, AGAIN["reference"]):
        tensors, spaces = parted(file.tensors), {}
        for judge, space in about["spaces"].items():
            real = from_state(tensors[judge], lambda: blocks(test), about["prefixes"][judge])
            real = replace(real, label_values=facts.values_of_labels, levels=facts.levels)
            spaces[judge] = Reference(space, real, Record(), tensors_sha256=checksum(tensors[judge]))
        return References(spaces, record, about["judges"], about["data"], about["drawn"])
