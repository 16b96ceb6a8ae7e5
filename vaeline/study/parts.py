"""Parts found by name: the name in a study is the name of the file.

A part is a file of a family's folder (`vaeline/models/priors/standard.py`) with two names in it: `Options`, the keys an entry
may set, and `build(options, context)`. Options are read out of the source without importing the file, so that a study
is checked in milliseconds, before torch is loaded.
"""

import ast
import importlib
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, PlainValidator
from pydantic_core import PydanticCustomError

from vaeline.system.errors import UserError

ROOT = Path(__file__).parents[2]

# Where each family of parts lies; nothing else knows.
PACKAGES = {
    "networks": "vaeline.models.networks", "flows": "vaeline.models.flows", "posteriors": "vaeline.models.posteriors",
    "priors": "vaeline.models.priors", "likelihoods": "vaeline.models.likelihoods", "regularizers": "vaeline.models.regularizers",
    "bounds": "vaeline.models.bounds", "densities": "vaeline.models.densities", "features": "vaeline.evaluation.features",
    "sets": "vaeline.data.sets", "plots": "vaeline.report.plots",
}  # fmt: skip


def folder(family: str) -> Path:
    """The folder that holds the parts of a family."""
    return ROOT.joinpath(*PACKAGES[family].split("."))


def shown_folder(family: str) -> str:
    """The same as a reader of the project knows it: vaeline/models/priors."""
    return PACKAGES[family].replace(".", "/")


class Entry(BaseModel):
    """A node of a study: every key is known, typed and bounded."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class PartOptions(Entry):
    """The keys that every part has; a part's own `Options` extends it."""

    name: str


def names(family: str) -> list[str]:
    """The parts of a family, as found on disk, sorted."""
    return sorted(path.stem for path in folder(family).glob("*.py") if not path.stem.startswith("_"))


@cache
def options_class(family: str, name: str) -> type[PartOptions]:
    """The `Options` of a part, read from its source; the class may use the names imported here and no other.

    Raises:
        UserError: the file has no such class, or it uses other names.
    """
    path, shown = folder(family) / f"{name}.py", f"{shown_folder(family)}/{name}.py"
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    except SyntaxError as error:
        raise UserError(f"{shown} is not valid Python: {error.msg}, line {error.lineno}.") from error
    definitions = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Options"]
    if len(definitions) != 1:
        raise UserError(
            f"{shown} has {len(definitions)} classes called Options; a part has one, with the keys of its entry."
        )
    namespace: dict[str, Any] = {
        "Annotated": Annotated, "Entry": Entry, "Field": Field, "Literal": Literal, "PartOptions": PartOptions, "part": part,
        "__name__": f"{PACKAGES[family]}.{name}",
    }  # fmt: skip
    usable = ", ".join(each for each in namespace if each != "__name__")
    try:
        exec(compile(ast.Module([*definitions], []), str(path), "exec"), namespace)
    except Exception as error:
        raise UserError(
            f"Options in {shown} cannot be read ({error}); the class is evaluated without the file's imports, and may use "
            f"{usable} and Python's own names."
        ) from error
    found: type[PartOptions] = namespace["Options"]
    return found


def validate(family: str, value: Any) -> PartOptions:
    """Turn an entry `{name: ..., key: ...}` into the options of the part it names."""
    if isinstance(value, PartOptions):
        return value
    if not isinstance(value, dict) or "name" not in value:
        raise PydanticCustomError(
            "part", "must be an entry with a name, as in `name: {first}`", {"first": names(family)[0]}
        )
    if value["name"] not in names(family):
        allowed = ", ".join(names(family))
        raise PydanticCustomError(
            "part", "has name {came}, which is no file of {folder}; there are: {allowed}",
            {"came": repr(value["name"]), "folder": shown_folder(family), "allowed": allowed},
        )  # fmt: skip
    options = options_class(family, value["name"])
    for key in value.keys() - options.model_fields.keys():
        allowed = ", ".join(options.model_fields)
        raise PydanticCustomError(
            "part", "has no key {key}; allowed are: {allowed}", {"key": repr(key), "allowed": allowed}
        )
    return options.model_validate(value)


def part(family: str) -> Any:
    """The type of a key that holds a part of `family`."""
    return Annotated[
        Any, PlainValidator(lambda value: validate(family, value)), PlainSerializer(lambda value: value.model_dump())
    ]


def module(family: str, name: str) -> Any:
    """Import a part's file."""
    return importlib.import_module(f"{PACKAGES[family]}.{name}")


def build(family: str, options: Any, *context: Any) -> Any:
    """Build the part that `options` names."""
    return module(family, options.name).build(options, *context)
