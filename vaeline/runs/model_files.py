"""The files of a run's model: model.safetensors and variant.yaml."""

from collections.abc import Mapping
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

import safetensors.torch

from vaeline.data.facts import Facts
from vaeline.models.model import Model
from vaeline.runs.description import Description, described, write_description
from vaeline.runs.folder import DESCRIPTION, WEIGHTS, again_for
from vaeline.study import parts
from vaeline.study.schema import Variant
from vaeline.system.errors import reading_ours
from vaeline.system.files import write_bytes
from vaeline.system.tensor_files import serialised


def save(folder: Path, model: Model, facts: Facts, provenance: Mapping[str, object]) -> None:
    """Write a run's `model.safetensors`, and last the `variant.yaml`, which vouches for it.

    Args:
        folder: of the run.
        model: on the CPU.
        facts: of its images.
        provenance: added to variant.yaml, as values that JSON can represent: what `Description` reads.
    """
    weights = serialised(model.state_dict())
    write_bytes(folder / WEIGHTS, weights)
    of_model = {
        "variant": model.variant.model_dump(mode="json"),
        "own_parts": parts.own_files(model.variant),
        "facts": asdict(facts),
        "weights_sha256": sha256(weights).hexdigest(),
    }
    write_description(folder, {**of_model, **provenance})


def load(folder: Path) -> tuple[Model, Facts]:
    """Build the model of a run from its folder, on the CPU, in evaluation mode.

    Raises:
        UserError: a file is missing, damaged, or belongs to another model; or the model has an own part of another project.
    """
    made = described(folder / DESCRIPTION)
    return model_of(folder, made), made.facts


def model_of(folder: Path, made: Description) -> Model:
    """Build the model that the variant.yaml in a folder describes, on the CPU, in evaluation mode.

    Raises:
        UserError: as in `load`.
    """
    about, path = folder / DESCRIPTION, folder / WEIGHTS
    parts.require_own_files(made.own_parts, about)
    with reading_ours(about, again_for(about, "train")):
        model = Model(Variant.model_validate(made.variant), made.facts)
    with reading_ours(path, again_for(path, "train")):
        weights = path.read_bytes()
        if made.weights_sha256 != sha256(weights).hexdigest():
            raise ValueError(f"it is not the one that {DESCRIPTION} describes")
        model.load_state_dict(safetensors.torch.load(weights))
    return model.eval()
