"""What the files that all studies of a data set share say of themselves, and whether a study may use them.

Each file names, under its seal, the settings that decided it. A study of other settings must not use it: it may have been
made for another study of the same data set. Reading this needs no torch.
"""

from collections.abc import Callable
from typing import Any

from vaeline.data import source_fingerprint
from vaeline.data.paths import DataFiles
from vaeline.data.store import read_facts_of
from vaeline.evaluation import given_weights
from vaeline.study.schema import Study
from vaeline.study.settings import differences
from vaeline.study.step_settings import again, require_settings, settings_of
from vaeline.system.errors import UserError
from vaeline.system.sealed_files import read_sealed
from vaeline.system.tensor_headers import read_about

AGAIN = {step: again(step) for step in ("download", "classifier", "reference")}


def other_settings(study: Study, step: str) -> str:
    """Why the file of a step that all studies of a data set share is not of a study's settings; empty if it is.

    Only what the file says of itself is read: a manifest, the facts of a store, the header of a file of tensors.

    Args:
        study: as params.yaml has it.
        step: `download`, `preprocess`, `classifier` or `reference`.
    """
    try:
        _CHECKS[step](study)
    except UserError as error:
        return str(error)
    return ""


def require_those_there(study: Study) -> None:
    """Refuse a manifest, a store or a classifier of other settings. Absent files are passed over, and the source is not read.

    Args:
        study: that shows results which were made with them.

    Raises:
        UserError: names the file, and the settings that differ; or a file is damaged.
    """
    files = DataFiles(study.dataset.id)
    for path, check in (
        (files.manifest, _manifest_of),
        (files.store, read_facts_of),
        (files.classifier, _check_classifier),
    ):
        if path.exists():
            check(study)


def _manifest_of(study: Study) -> dict[str, Any]:
    path = DataFiles(study.dataset.id).manifest
    made = read_sealed(path, AGAIN["download"])
    wanted = {"id": study.dataset.id, "dataset": study.dataset.name, "source": study.dataset.source}
    if other := differences({key: made.get(key) for key in wanted}, wanted):
        raise UserError(
            f"{path} is of another data set than that of params.yaml: {'; '.join(other)}; {AGAIN['download']}."
        )
    return made


def _check_manifest(study: Study) -> None:
    path, made = DataFiles(study.dataset.id).manifest, _manifest_of(study)
    if made.get(source_fingerprint.KEY) != source_fingerprint.of_source(study.dataset):
        raise UserError(f"{path} is of other files than those in {study.dataset.source}; {AGAIN['download']}.")


def _check_classifier(study: Study) -> None:
    path = DataFiles(study.dataset.id).classifier
    made = read_about(path, AGAIN["classifier"]).get("settings", {})
    require_settings(path, made, settings_of(study, "classifier"), AGAIN["classifier"])


def _check_reference(study: Study) -> None:
    files, space = DataFiles(study.dataset.id), study.evaluation.features.name
    weights = given_weights.fingerprint(study)
    for path, content in (
        (files.statistics(space), read_about(files.statistics(space), AGAIN["reference"])),
        (files.metrics(space), read_sealed(files.metrics(space), AGAIN["reference"])),
    ):
        require_settings(path, content.get("settings", {}), settings_of(study, "reference"), AGAIN["reference"])
        if weights and any(space.get("weights") != weights for space in content.get("spaces", {}).values()):
            raise UserError(
                f"{path} was measured with other weights than those of evaluation.features.weights; {AGAIN['reference']}."
            )


_CHECKS: dict[str, Callable[[Study], object]] = {
    "download": _check_manifest,
    "preprocess": read_facts_of,
    "classifier": _check_classifier,
    "reference": _check_reference,
}
