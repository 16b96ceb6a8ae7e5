"""docs/keys.md: every key of a study and of every part, with its allowed values, its default and its meaning."""

import ast
import json
from typing import Any

from pydantic import BaseModel

from vaeline.study import parts
from vaeline.study.schema import Condition, LikelihoodEstimate, Published, Split, Study, Variant

Schema = dict[str, Any]  # of JSON
FAMILIES = {
    "networks": "network", "posteriors": "posterior", "priors": "prior", "likelihoods": "likelihood",
    "regularizers": "regularizer", "bounds": "bound", "densities": "density", "flows": "flow", "label_encoders": "condition.labels",
    "features": "features",
}  # fmt: skip
# Section -> key -> its keys.
INSIDE: dict[str, dict[str, type[BaseModel]]] = {
    "dataset": {"split": Split},
    "evaluation": {"likelihood": LikelihoodEstimate},
}
TYPES = {"integer": "whole number", "number": "number", "boolean": "true, false", "string": "text", "null": "null"}
BOUNDS = {"minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most", "exclusiveMaximum": "below"}


def document() -> str:
    """The whole page, as Markdown. It does not depend on the project's own parts."""
    blocks = ["# Every key of a study", "`make parts` writes this page from the descriptions in the code."]
    for name, field in Study.model_fields.items():
        if name == "variants":
            blocks += _section("## `variants.<name>`", Variant) + _section("### `condition`", Condition)
        elif name == "published":
            blocks += _section("## `published.<name>`", Published)
        else:
            blocks += _section(f"## `{name}`", field.annotation)
        for key, entry in INSIDE.get(name, {}).items():
            blocks += _section(f"### `{name}.{key}`", entry)
    for family, key in FAMILIES.items():
        blocks += [f"## The parts of `{key}`", f"Each part is a file of {_folders(family)}."]
        for name in parts.built_in(family):
            blocks += _part(family, name)
    blocks += [
        "## The data sets",
        f"`dataset.name` is a file of {_folders('sets')}; the keys here stand in `dataset.options`.",
    ]
    for name in parts.built_in("sets"):
        blocks += _set(name)
    return "\n\n".join(blocks) + "\n"


def of_own_parts() -> str:
    """The same for the project's own parts; empty if there are none."""
    blocks = [block for family in FAMILIES for name in parts.own(family) for block in _part(family, name)]
    blocks += [block for name in parts.own("sets") for block in _set(name)]
    return "\n\n".join(["## Your own parts", *blocks]) + "\n" if blocks else ""


def _folders(family: str) -> str:
    return " or ".join(f"`{folder}`" for folder in parts.shown_folder(family).split(" or "))


def _part(family: str, name: str) -> list[str]:
    heading = f"### {FAMILIES[family]} `{name}`"
    return [heading, first_line(family, name), _table(parts.options_class(family, name))]


def _set(name: str) -> list[str]:
    """A data set, which has a class of options only if it has keys of its own."""
    has_keys = parts.defines("sets", name, "Options")
    keys = _table(parts.options_class("sets", name)) if has_keys else "It has no key except its name."
    return [f"### data set `{name}`", first_line("sets", name), keys]


def _section(heading: str, entry: Any) -> list[str]:
    return [heading, (entry.__doc__ or "").strip(), _table(entry)]


def first_line(family: str, name: str) -> str:
    """The first line of the docstring of a part's file, which is not imported."""
    text = parts.file(family, name).read_text(encoding="utf-8")
    return (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0]


def _table(entry: type[BaseModel]) -> str:
    schema = entry.model_json_schema()
    keys = {name: each for name, each in schema["properties"].items() if not _names_the_part(entry, name)}
    if not keys:
        return "It has no key except its name."
    rows = [
        _row(f"`{name}`", _allowed(each), _default(each), each.get("description", "")) for name, each in keys.items()
    ]
    return "\n".join([_row("key", "allowed", "default", "meaning"), "|---|---|---|---|", *rows])


def _row(*cells: str) -> str:
    """A row of a table. A bar inside a cell is escaped: otherwise it would end the cell, also inside of code."""
    escaped = (cell.replace("|", "\\|") for cell in cells)
    return f"| {' | '.join(escaped)} |"


def _names_the_part(entry: type[BaseModel], key: str) -> bool:
    return key == "name" and issubclass(entry, parts.PartOptions)


def _default(schema: Schema) -> str:
    return f"`{json.dumps(schema['default'])}`" if "default" in schema else ""


def _allowed(schema: Schema) -> str:
    """The values that the JSON schema of a key allows, in words."""
    if "anyOf" in schema:
        return " or ".join(map(_allowed, schema["anyOf"]))
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "prefixItems" in schema:
        return f"list of {len(schema['prefixItems'])}: {_allowed(schema['prefixItems'][0])}"
    if "items" in schema:
        return f"list: {_allowed(schema['items'])}" if schema["items"] else "list"
    if "type" not in schema:
        return "keys, below" if "$ref" in schema else "a part"
    if isinstance(values := schema.get("additionalProperties"), dict):
        return f"names, each with: {_allowed(values)}"
    if "const" in schema:
        return f"`{schema['const']}`"
    bounds = [f"{words} {schema[key]:,}" for key, words in BOUNDS.items() if key in schema]
    return ", ".join([TYPES.get(schema["type"], "keys"), *bounds])
