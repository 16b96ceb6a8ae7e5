"""The files of a run's model: model.safetensors and variant.yaml."""

from collections.abc import Mapping
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

import safetensors.torch
from safetensors import SafetensorError

from vaeline.data.facts import Facts
from vaeline.models.model import Model
from vaeline.runs.description import read_content, write_description
from vaeline.study.schema import Variant
from vaeline.system.errors import UserError
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
    write_bytes(folder / "model.safetensors", weights)
    of_model = {
        "variant": model.variant.model_dump(mode="json"),
        "facts": asdict(facts),
        "weights_sha256": sha256(weights).hexdigest(),
    }
    write_description(folder, {**of_model, **provenance})


def load(folder: Path) -> tuple[Model, Facts]:
    """Build the model of a run from its folder, on the CPU, in evaluation mode.

    Raises:
        UserError: a file is missing, damaged, or belongs to another model.
    """
    again = "train it again, or restore it with `dvc checkout`"
    for path in (folder / "variant.yaml", folder / "model.safetensors"):
        if not path.is_file():
            raise UserError(f"{path} is missing; {again}.")
    try:
        content = read_content(folder / "variant.yaml")
        facts = Facts.from_dict(content["facts"])
        model = Model(Variant.model_validate(content["variant"]), facts)
        weights = (folder / "model.safetensors").read_bytes()
        if content["weights_sha256"] != sha256(weights).hexdigest():
            raise UserError(
                f"{folder / 'model.safetensors'} is damaged, or not the one that variant.yaml describes; {again}."
            )
        model.load_state_dict(safetensors.torch.load(weights))
    except (SafetensorError, RuntimeError) as error:
        raise UserError(f"{folder / 'model.safetensors'} is damaged or of another model; {again}.") from error
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{folder / 'variant.yaml'} is damaged or of another version of vaeline ({_short(error)}); {again}."
        ) from error
    return model.eval(), facts


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
