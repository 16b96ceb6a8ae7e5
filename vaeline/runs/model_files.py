"""The files of a run's model: model.safetensors and variant.yaml."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import yaml
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from vaeline.data.facts import Facts
from vaeline.models.model import Model
from vaeline.study.schema import Variant
from vaeline.system.errors import UserError
from vaeline.system.files import sha256, write_text, written_aside


def save(folder: Path, model: Model, facts: Facts, provenance: Mapping[str, object]) -> None:
    """Write a run's `model.safetensors`, and the `variant.yaml` from which the model is built again.

    Args:
        folder: of the run.
        model: on the CPU.
        facts: of its images.
        provenance: added to variant.yaml, as values that JSON can represent.
    """
    with written_aside(folder / "model.safetensors") as aside:
        save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, aside)
    weights = sha256(folder / "model.safetensors")
    model_content = {
        "variant": model.variant.model_dump(mode="json"),
        "facts": asdict(facts),
        "weights_sha256": weights,
    }
    content = {**model_content, **provenance}
    write_text(folder / "variant.yaml", yaml.safe_dump(_plain(content), sort_keys=False, allow_unicode=True))


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
        content = yaml.safe_load((folder / "variant.yaml").read_text(encoding="utf-8"))
        facts = Facts.from_dict(content["facts"])
        model = Model(Variant.model_validate(content["variant"]), facts)
        if content["weights_sha256"] != sha256(folder / "model.safetensors"):
            raise UserError(
                f"{folder / 'model.safetensors'} is damaged, or not the one that variant.yaml describes; {again}."
            )
        model.load_state_dict(load_file(folder / "model.safetensors"))
    except (SafetensorError, RuntimeError) as error:
        raise UserError(f"{folder / 'model.safetensors'} is damaged or of another model; {again}.") from error
    except (yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"{folder / 'variant.yaml'} is damaged or of another version; {again}.") from error
    return model.eval(), facts


def _plain(content: object) -> object:
    """The content with lists in place of tuples, which safe YAML cannot represent."""
    if isinstance(content, dict):
        return {key: _plain(value) for key, value in content.items()}
    return [_plain(value) for value in content] if isinstance(content, list | tuple) else content
