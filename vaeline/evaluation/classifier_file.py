"""The file of the classifiers of a data set: which images can have one, and which classifiers they may use."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vaeline.data.facts import Facts
from vaeline.data.paths import DataFiles
from vaeline.data.store import POINTS
from vaeline.evaluation.classifier import LEARNED_FROM, Classifier
from vaeline.evaluation.record import UNLABELLED
from vaeline.evaluation.shared_files import AGAIN
from vaeline.evaluation.skill import Skill
from vaeline.study.schema import Study
from vaeline.study.step_settings import require_settings, settings_of
from vaeline.system.errors import UserError, reading_ours
from vaeline.system.tensor_files import checksum, joined, parted, read_tensors, write_tensors
from vaeline.system.tensor_headers import read_about


def why_none(facts: Facts) -> str:
    """Why no classifier can be trained on images, in words; empty if one can."""
    return POINTS if facts.points else "" if facts.label_names else UNLABELLED


def require_labels(facts: Facts) -> None:
    """Refuse images without labels, whose classifier would be a feature space.

    Raises:
        UserError: they have none.
    """
    if not facts.points and not facts.label_names:
        raise UserError(
            f"The images of {facts.dataset_id} have no labels to train evaluation.features classifier on; set evaluation.features to "
            "{name: principal_components, dimensions: 64} or {name: inception}."
        )


def of_study(facts: Facts, data: Path, study: Study) -> dict[str, Classifier]:
    """The classifiers of the images of a store, trained with the settings of a study, by their seeds.

    Args:
        facts: of the store.
        data: folder of the files of all data sets.
        study: that would use them.

    Returns:
        The classifiers; none if the images have no labels.

    Raises:
        UserError: as in `of_images`; or they were trained with other settings.
    """
    path, wanted = DataFiles(facts.dataset_id, data).classifier, settings_of(study, "classifier")
    if not facts.label_names:
        made = read_about(path, AGAIN["classifier"]).get("settings", {})
        require_settings(path, made, wanted, AGAIN["classifier"])
        return {}
    classifiers = of_images(facts, data)
    made = next(iter(classifiers.values())).settings
    require_settings(path, made, wanted, AGAIN["classifier"])
    return classifiers


def of_images(facts: Facts, data: Path) -> dict[str, Classifier]:
    """The classifiers that the classifier stage wrote into `data` for the images of a store, with whatever settings, by their seeds.

    Raises:
        UserError: their file is missing, damaged, or of other images.
    """
    path = DataFiles(facts.dataset_id, data).classifier
    classifiers = load(path)
    one = next(iter(classifiers.values()))  # what is checked here is the same for all
    made = {key: one.architecture[key] for key in ("image_shape", "levels", "cardinalities")}
    asked = {"image_shape": list(facts.image_shape), "levels": facts.levels, "cardinalities": facts.label_cardinalities}
    if made != asked:
        raise UserError(
            f"{path} is a classifier of other images: {_described(made)}, where these are {_described(asked)}; {AGAIN['classifier']}."
        )
    if one.data != facts.checksums_of(LEARNED_FROM):
        raise UserError(
            f"{path} was trained on another training split than that of {facts.dataset_id}, and may know today's test images, or "
            f"was chosen on another validation split; {AGAIN['classifier']}."
        )
    return classifiers


def load(path: Path) -> dict[str, Classifier]:
    """Read the classifiers of a data set, on the CPU, in evaluation mode, by their seeds.

    Raises:
        UserError: the file is missing or damaged.
    """
    file = read_tensors(path, AGAIN["classifier"])
    found = {}
    with reading_ours(path, AGAIN["classifier"]):
        tensors = parted(file.tensors)
        for seed, skill in file.about["skills"].items():
            classifier = Classifier(**file.about["architecture"])
            classifier.load_state_dict(tensors[seed])
            classifier.settings, classifier.data = file.about["settings"], file.about["data"]
            classifier.skill = Skill.from_dict(skill)
            classifier.weights_sha256 = checksum(tensors[seed])
            found[seed] = classifier.to(memory_format=torch.channels_last).eval()
        if not found:
            raise ValueError("it has no classifier")
    return found


def save(path: Path, classifiers: Mapping[str, Classifier], study: Study) -> None:
    """Write the classifiers of a data set, by their seeds, with what they are of: architecture, settings, data and skills."""
    one = next(iter(classifiers.values()))
    about = {
        "architecture": one.architecture,
        "data": dict(one.data),
        "settings": settings_of(study, "classifier"),
        "skills": {seed: asdict(classifier.skill) for seed, classifier in classifiers.items()},
    }
    write_tensors(path, joined({seed: _state(classifier) for seed, classifier in classifiers.items()}), about)


def skip(path: Path, why: str, study: Study) -> None:
    """Write, in place of classifiers, why a data set has none."""
    write_tensors(path, {}, {"skipped": why, "settings": settings_of(study, "classifier")})


def _described(architecture: Mapping[str, Any]) -> str:
    shape, values = "x".join(map(str, architecture["image_shape"])), ", ".join(map(str, architecture["cardinalities"]))
    return f"{shape} with {architecture['levels']} levels and labels of {values} values"


def _state(classifier: Classifier) -> dict[str, Tensor]:
    return {name: tensor.cpu() for name, tensor in classifier.state_dict().items()}
