"""The JSON schema of a study, by which an editor completes its keys, shows what they mean, and marks mistakes.

`params.yaml` contains every key; a file of `studies/` may leave out any, extend another study, and have a quick overlay. So there
are two schemas, written by `make parts` from the classes that check a study. What a class checks by code, an editor does not know.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vaeline.study import parts
from vaeline.study.keys_page import FAMILIES
from vaeline.study.schema import OF_VARIANTS, Study

Schema = dict[str, Any]
DRAFT = "http://json-schema.org/draft-07/schema#"  # the one that editors know best
FOLDER = Path("workflow/schemas")
WHOLE, READY = "study.schema.json", "ready_study.schema.json"  # of params.yaml, and of the files of studies/


def files() -> dict[Path, str]:
    """The files of both schemas, with their text."""
    return {
        FOLDER / name: json.dumps(schema, indent=1, ensure_ascii=False) + "\n" for name, schema in schemas().items()
    }


def head(folder: str = "", name: str = WHOLE) -> str:
    """The line at the head of a study that tells an editor its schema.

    Args:
        folder: the way from the study to the project's root, such as `../`.
        name: of the schema.
    """
    return f"# yaml-language-server: $schema={folder}{FOLDER.as_posix()}/{name}\n"


def schemas() -> dict[str, Schema]:
    """Both schemas by the names of their files. They do not depend on the project's own parts, and accept them."""
    whole = _study() | {"title": "params.yaml: the active study, which contains every key"}
    ready = _walked(whole, _without_required) | {"title": "A study of studies/"}
    overlay = {"type": "object", "additionalProperties": False, "properties": dict(ready["properties"])}
    ready["properties"] |= {
        "extends": {"type": "string", "description": "a study of studies/ whose keys this one has too"},
        "quick": overlay | {"description": "what `make use QUICK=1` sets otherwise, for a first look on a CPU"},
    }
    return {WHOLE: {"$schema": DRAFT} | whole, READY: {"$schema": DRAFT} | ready}


def _study() -> Schema:
    schema = _every_key(Study)
    schema["$defs"] |= {_part(family): _family(family) for family in FAMILIES}
    for family in FAMILIES:
        for name in parts.built_in(family):
            options = _every_key(parts.options_class(family, name))
            schema["$defs"] |= options.pop("$defs", {}) | {_part(family, name): options}
    keys = schema["$defs"]["Training"]["properties"]
    of_variant = schema["$defs"]["Variant"]["properties"]["training"]
    of_variant |= {"additionalProperties": False, "properties": {key: keys[key] for key in OF_VARIANTS}}
    schema["$defs"]["Dataset"]["properties"]["name"] |= _name("sets")
    schema["$defs"]["Dataset"]["allOf"] = [_options_of_set(name) for name in _sets_with_keys()]
    return schema


def _sets_with_keys() -> list[str]:
    return [name for name in parts.built_in("sets") if parts.defines("sets", name, "Options")]


def _options_of_set(name: str) -> Schema:
    """The keys of `dataset.options` if `dataset.name` is that of a set which has some."""
    options = _every_key(parts.options_class("sets", name))
    del options["properties"]["name"]
    options["required"].remove("name")
    return {
        "if": {"required": ["name"], "properties": {"name": {"const": name}}},
        "then": {"properties": {"options": options}},
    }


def _every_key(entry: type[parts.Entry]) -> Schema:
    """The schema of an entry, in which every key is required."""
    return _walked(entry.model_json_schema(), _in_draft)


def _walked(schema: Any, change: Callable[[Schema], Schema]) -> Any:
    """A copy of a schema with each of its nodes changed, the innermost first."""
    if isinstance(schema, list):
        return [_walked(each, change) for each in schema]
    if isinstance(schema, dict):
        return change({key: _walked(each, change) for key, each in schema.items()})
    return schema


def _in_draft(node: Schema) -> Schema:
    """A node of pydantic's schema as DRAFT and the rules of params.yaml have it."""
    if isinstance(node.get("title"), str):  # the name of the key again
        del node["title"]
    if "prefixItems" in node:
        node["items"] = node.pop("prefixItems")
    if isinstance(properties := node.get("properties"), dict) and node.get("type") == "object":
        node["required"] = sorted(properties)
    if family := node.pop(parts.FAMILY, None):
        node["$ref"] = _ref(_part(family))
    return node


def _without_required(node: Schema) -> Schema:
    """A node that may leave out any key; a condition, which has no type, still asks whether a part has a certain name."""
    return {key: each for key, each in node.items() if key != "required" or "type" not in node}


def _family(family: str) -> Schema:
    """A part of a family: its name, and the keys that the part of this name has. Those of an own part are not known."""
    return {
        "type": "object",
        "required": ["name"],
        "properties": {"name": _name(family)},
        "allOf": [
            {
                "if": {"required": ["name"], "properties": {"name": {"const": name}}},
                "then": {"$ref": _ref(_part(family, name))},
            }
            for name in parts.built_in(family)
        ],
    }


def _name(family: str) -> Schema:
    """The name of a part: one of vaeline's, which an editor completes, or of the project's own."""
    return {
        "type": "string",
        "description": f"a file of {parts.shown_folder(family)}",
        "anyOf": [{"enum": parts.built_in(family)}, {"pattern": f"^{parts.NAME.pattern}$"}],
    }


def _part(family: str, name: str = "") -> str:
    return f"{family}.{name}" if name else family


def _ref(definition: str) -> str:
    return f"#/$defs/{definition}"
