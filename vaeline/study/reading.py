"""Read and check a study; an error has one line for each mistake and names its key."""

import json
from collections.abc import Iterator
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_origin

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from vaeline.study.parts import PartOptions
from vaeline.study.schema import Study
from vaeline.system.errors import UserError

Content = dict[str, Any]  # of a study, as YAML holds it
PARAMS = Path("params.yaml")  # the active study


def load(path: Path = PARAMS) -> Study:
    """Read and check a study. A file is parsed again only if its bytes have changed: otherwise the same object is returned.

    Raises:
        UserError: the file is missing, is not YAML, or does not fit the schema; one line for each mistake.
    """
    return _parsed(path, _read(path))


@lru_cache(maxsize=1)
def _parsed(path: Path, content: bytes) -> Study:
    return check(_parse(path, content), path)


def check_resolved(content: Content, path: Path) -> Study:
    """Check a study that spells out every key; both engines compare the values of keys to tell what has changed.

    Raises:
        UserError: the content does not fit the schema, or leaves out a key that has a default.
    """
    study = check(content, path)
    if lacking := left_out(content, study):
        raise UserError(
            f"{path} lacks {', '.join(lacking)}; add {'it' if len(lacking) == 1 else 'them'}, or run `make update`, which does: a study that "
            "runs contains every key."
        )
    return study


def left_out(content: Content, study: Study) -> list[str]:
    """The keys that the content of a study leaves out, with their defaults, as `key: value`."""
    return list(_left_out(content, study.model_dump(mode="json")))


def _left_out(content: object, whole: object, path: str = "") -> Iterator[str]:
    """The dotted keys of `whole` that `content` leaves out, with their default values."""
    if isinstance(whole, list) and isinstance(content, list):
        for index, (one, other) in enumerate(zip(content, whole, strict=True)):
            yield from _left_out(one, other, f"{path}{index}.")
    if isinstance(whole, dict) and isinstance(content, dict):
        for key, value in whole.items():
            if key not in content:
                yield f"`{path}{key}: {json.dumps(value)}`"
            else:
                yield from _left_out(content[key], value, f"{path}{key}.")


class _UniqueKeys(yaml.SafeLoader):
    """Refuses a key that appears twice, as DVC does. PyYAML by itself takes the last value."""

    def compose_mapping_node(self, anchor: dict[str, yaml.Node]) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        seen: set[object] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise yaml.composer.ComposerError(None, None, f"{key.value} appears twice", key.start_mark)
                seen.add(key.value)
        return node


def read_yaml(path: Path) -> Content:
    """Read a mapping out of a YAML file.

    Raises:
        UserError: the file is missing, is not YAML, or holds no mapping.
    """
    return deepcopy(_parse(path, _read(path)))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise UserError(f"There is no {path}; run from the project's root.") from error
    except IsADirectoryError as error:
        raise UserError(f"{path} is a folder; a study is a YAML file.") from error


@lru_cache(maxsize=1)
def _parse(path: Path, content: bytes) -> Content:
    """The content of a study; shared by all callers, which must not change it."""
    try:
        parsed = yaml.load(content.decode("utf-8"), _UniqueKeys)  # a safe loader
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UserError(f"{path} is not valid YAML: {' '.join(str(error).split())}.") from error
    if not isinstance(parsed, dict):
        raise UserError(f"{path} holds no keys; a study has study, dataset, training, evaluation and variants.")
    return parsed


def check(content: Content, path: Path) -> Study:
    """Check the content of a study.

    Args:
        content: a mapping, as `read_yaml` returns it.
        path: of the study, for errors.

    Raises:
        UserError: the content does not fit the schema; one line for each mistake.
    """
    try:
        return Study.model_validate(content)
    except ValidationError as error:
        raise UserError("\n".join(_sentence(path, mistake) for mistake in error.errors())) from error


def _sentence(path: Path, mistake: ErrorDetails) -> str:
    where = ".".join(str(step) for step in mistake["loc"])
    if mistake["type"] == "extra_forbidden":
        return f"{path}: {where} is not a known key{_allowed_beside(mistake['loc'])}."
    if mistake["type"] == "missing":
        return f"{path}: {where} is missing."
    if mistake["type"] == "too_short":
        return f"{path}: {where} holds {mistake['ctx']['actual_length']}, but should hold at least {mistake['ctx']['min_length']}."
    came = [] if isinstance(mistake["input"], dict | PartOptions) else [f"is {mistake['input']!r}, but"]
    message = mistake["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return " ".join([f"{path}:", *([where] if where else []), *came, message]) + "."


def _allowed_beside(loc: tuple[int | str, ...]) -> str:
    """The keys that are allowed in place of an unknown one, in words."""
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
