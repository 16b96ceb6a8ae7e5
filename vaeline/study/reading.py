"""Read and check a study: one line for each mistake, named by its key."""

import json
from collections.abc import Iterator
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_origin

import yaml
from pydantic import ValidationError

from vaeline.study.parts import PartOptions
from vaeline.study.schema import Study
from vaeline.system.errors import UserError


def load(path: Path = Path("params.yaml")) -> Study:
    """Read and check a resolved study.

    Raises:
        UserError: the file is missing, is not YAML, or does not fit the schema; one line a mistake.
    """
    return check(read_yaml(path), path)


def load_resolved(path: Path) -> Study:
    """Read and check a study that spells out every key, as both engines need it to tell what has changed.

    Raises:
        UserError: as for `load`, or a key that has a default is left out.
    """
    content = read_yaml(path)
    study = check(content, path)
    left_out = list(_left_out(content, study.model_dump(mode="json")))
    if left_out:
        raise UserError(
            f"{path} leaves out {', '.join(left_out)}; add {'it' if len(left_out) == 1 else 'them'}: every key counts."
        )
    return study


def _left_out(content: Any, whole: Any, path: str = "") -> Iterator[str]:
    """The dotted keys of `whole` that `content` has not, with the value that they have by default."""
    if isinstance(whole, list) and isinstance(content, list):
        for index, (one, other) in enumerate(zip(content, whole, strict=True)):
            yield from _left_out(one, other, f"{path}{index}.")
    for key, value in whole.items() if isinstance(whole, dict) and isinstance(content, dict) else ():
        if key not in content:
            yield f"`{path}{key}: {json.dumps(value)}`"
        else:
            yield from _left_out(content[key], value, f"{path}{key}.")


class _UniqueKeys(yaml.SafeLoader):
    """Refuses a key that is there twice, as DVC does; plain YAML takes the last."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        seen: set[Any] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise yaml.composer.ComposerError(None, None, f"{key.value} is there twice", key.start_mark)
                seen.add(key.value)
        return node


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a mapping out of a YAML file."""
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _UniqueKeys)  # a safe loader
    except FileNotFoundError as error:
        raise UserError(f"There is no {path}; run from the project's root.") from error
    except (yaml.YAMLError, ValueError, RecursionError, IsADirectoryError) as error:
        raise UserError(f"{path} is not valid YAML: {' '.join(str(error).split())}.") from error
    if not isinstance(content, dict):
        raise UserError(f"{path} holds no keys; a study has study, dataset, training, evaluation and variants.")
    return content


def check(content: dict[str, Any], path: Path) -> Study:
    """Check the content of a study; `path` names it in errors."""
    try:
        return Study.model_validate(content)
    except ValidationError as error:
        raise UserError("\n".join(_sentence(path, mistake) for mistake in error.errors())) from error


def _sentence(path: Path, mistake: Any) -> str:
    where = ".".join(str(step) for step in mistake["loc"])
    if mistake["type"] == "extra_forbidden":
        return f"{path}: {where} is no known key{_allowed_beside(mistake['loc'])}."
    if mistake["type"] == "missing":
        return f"{path}: {where} is missing."
    if mistake["type"] == "too_short":
        return f"{path}: {where} holds {mistake['ctx']['actual_length']}, but should hold at least {mistake['ctx']['min_length']}."
    came = [] if isinstance(mistake["input"], dict | PartOptions) else [f"is {mistake['input']!r}, but"]
    message = mistake["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return " ".join([f"{path}:", *([where] if where else []), *came, message]) + "."


def _allowed_beside(loc: tuple[Any, ...]) -> str:
    """Name the keys that may stand where an unknown one came."""
    node: Any = Study
    for step in loc[:-1]:
        if get_origin(node) is dict:
            node = get_args(node)[1]
        else:
            node = node.model_fields[step].annotation
            node = next(
                (each for each in get_args(node) if get_origin(node) is not dict and each is not NoneType), node
            )
    return f"; allowed are: {', '.join(node.model_fields)}"
