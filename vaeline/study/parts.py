"""Parts found by name: the name in a study is the name of the file.

A part is a file in a family's folder (`vaeline/models/priors/standard.py`) with two names in it: `Options`, the keys that
an entry may set, and `build(options, context)`, which returns an object of the family's contract class. Options are read
from the source without importing the file, so that a study is checked in milliseconds, before torch is loaded.

A project has parts of its own in `parts/<family>/<name>.py`, beside `vaeline/`. They follow the same rules.
"""

import ast
import importlib
import inspect
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic._internal._model_construction import ModelMetaclass
from pydantic_core import PydanticCustomError, core_schema

from vaeline.study.contract import Part, faults, shown_type
from vaeline.system.errors import UserError, instead_of, reason

ROOT = Path(__file__).parents[2]

# Where each family of parts lies; no other module knows.
PACKAGES = {
    "networks": "vaeline.models.networks", "flows": "vaeline.models.flows", "posteriors": "vaeline.models.posteriors",
    "priors": "vaeline.models.priors", "likelihoods": "vaeline.models.likelihoods", "regularizers": "vaeline.models.regularizers",
    "bounds": "vaeline.models.bounds", "densities": "vaeline.models.densities", "features": "vaeline.evaluation.features",
    "label_encoders": "vaeline.models.label_encoders", "sets": "vaeline.data.sets", "metrics": "vaeline.metrics",
    "plots": "vaeline.report.plots",
}  # fmt: skip
OWN = "parts"  # the package of the project's own parts
OWN_FAMILIES = [family for family in PACKAGES if family != "plots"]  # both engines list the files of the plots
NAME = re.compile("[a-z][a-z0-9_]*")
FAMILY = "x-family"  # the key of a JSON schema by which a part's family is found


def folder(family: str) -> Path:
    """The folder of vaeline's parts of a family."""
    return ROOT.joinpath(*PACKAGES[family].split("."))


def is_installed() -> bool:
    """Whether this is no clone but an installed package, which has no own parts: what lies beside it are other packages."""
    return ROOT.name in ("site-packages", "dist-packages")


def own_folder(family: str) -> Path:
    """The folder of the project's own parts of a family, which need not exist."""
    return ROOT.joinpath(OWN, family)


def folders(family: str) -> list[Path]:
    """Both folders of a family."""
    return [folder(family), own_folder(family)]


def shown_folder(family: str) -> str:
    """The folders of a family as messages show them: vaeline/models/priors or parts/priors."""
    return " or ".join([PACKAGES[family].replace(".", "/"), *([f"{OWN}/{family}"] if family in OWN_FAMILIES else [])])


def built_in(family: str) -> list[str]:
    """Vaeline's parts of a family, as found on disk, sorted."""
    return _names_in(folder(family))


def own(family: str) -> list[str]:
    """The project's own parts of a family, as found on disk, sorted.

    Raises:
        UserError: one has the name of a part of vaeline, or a name that no study can contain.
    """
    found = _names_in(own_folder(family)) if family in OWN_FAMILIES and not is_installed() else []
    for name in found:
        if not NAME.fullmatch(name):
            raise UserError(
                f"{OWN}/{family}/{name}.py has a name that no study can contain; take small letters, digits and _, and begin with a letter."
            )
        if name in built_in(family):
            raise UserError(
                f"{OWN}/{family}/{name}.py has the name of a part of vaeline, {PACKAGES[family].replace('.', '/')}/{name}.py; give it another name."
            )
    return found


def names(family: str) -> list[str]:
    """The parts of a family, vaeline's and the project's own, sorted.

    Raises:
        UserError: as `own`.
    """
    return sorted([*built_in(family), *own(family)])


def _names_in(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.py") if not path.stem.startswith(("_", ".")))


def module_name(family: str, name: str) -> str:
    """The dotted name of a part's module."""
    return f"{OWN}.{family}.{name}" if name in own(family) else f"{PACKAGES[family]}.{name}"


def file(family: str, name: str) -> Path:
    """The file of a part."""
    return (own_folder if name in own(family) else folder)(family) / f"{name}.py"


def shown_file(family: str, name: str) -> str:
    """The file of a part as messages show it: vaeline/models/priors/standard.py."""
    return f"{module_name(family, name).replace('.', '/')}.py"


def check_own() -> None:
    """Check that each of the project's own parts lies where it is found.

    Raises:
        UserError: a file or folder lies elsewhere, or as `own`.
    """
    families = ", ".join(OWN_FAMILIES)
    for path in [] if is_installed() else sorted(own_folder("").glob("[!_.]*")):
        if path.is_dir() and path.name not in OWN_FAMILIES and any(path.rglob("*.py")):
            raise UserError(
                f"{OWN}/{path.name} is no family of parts; the families are: {families}. Rename the folder; start its name with _ if it holds "
                "other code."
            )
        if path.is_file() and path.suffix == ".py":
            raise UserError(
                f"{OWN}/{path.name} lies in the folder of no family; move it to {OWN}/<family>/{path.name}, where the family is one of: {families}. "
                "Start its name with _ if it is no part."
            )
    for family in OWN_FAMILIES:
        own(family)


class Entry(BaseModel):
    """A node of a study: every key is known, typed and bounded."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class _OnePerFile(ModelMetaclass):
    """Makes `Options` of a part one class, whether its source is read first or its file is imported first.

    Pydantic exports the metaclass of its models under a private name only.
    """

    made: ClassVar[dict[str, type]] = {}  # by the name of the module

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **keywords: Any) -> type:
        module = namespace["__module__"]
        if name == "Options" and module in mcs.made:
            return mcs.made[module]
        new = super().__new__(mcs, name, bases, namespace, **keywords)
        if name == "Options":
            mcs.made[module] = new
        return new


class PartOptions(Entry, metaclass=_OnePerFile):
    """The keys that every part has; a part's own `Options` extends it."""

    image_size: ClassVar[int | None] = None  # no key: height and width of the images, if a network takes only one size
    name: str


@dataclass(frozen=True)
class PartOf:
    """Marks a key whose value is a part: `Annotated[PartOptions, PartOf("priors")]`."""

    family: str

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        """An entry `{name: ..., key: ...}` becomes the options of the part that it names."""
        return core_schema.no_info_plain_validator_function(
            partial(validate, self.family),
            serialization=core_schema.plain_serializer_function_ser_schema(BaseModel.model_dump),
        )

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, object]:
        """No type, but the family: docs/keys.md describes its parts in a section of their own."""
        return {FAMILY: self.family}


def options_class(family: str, name: str) -> type[PartOptions]:
    """The `Options` of a part: that of its module if it is imported, else as read from the source.

    Raises:
        UserError: the file has no such class, or the class uses names that it may not.
    """
    return _options_class(file(family, name), module_name(family, name))


@cache
def _options_class(path: Path, module: str) -> type[PartOptions]:
    imported = vars(sys.modules[module]) if module in sys.modules else {}
    if "Options" in imported and Path(imported["__file__"]).resolve() == path.resolve():
        found: type[PartOptions] = imported["Options"]
        return found
    _OnePerFile.made.pop(module, None)  # of another file, or of an earlier version of this one
    return _read_options(path, module)


def _read_options(path: Path, module: str) -> type[PartOptions]:
    """Execute the class `Options` of a source, without the rest of the file."""
    shown, entry = f"{module.replace('.', '/')}.py", "LOADER" if ".sets." in module else "build"
    # The class may use these names and no other.
    known = {each.__name__: each for each in (Entry, Field, PartOf, PartOptions)}
    namespace = {"Annotated": Annotated, "Literal": Literal, **known, "__name__": module}
    tree = parsed(path, shown)
    definition = _definition_of_options(tree, shown)
    try:
        exec(compile(ast.Module([definition], []), str(path), "exec"), namespace)
    except Exception as error:
        raise UserError(
            f"Options in {shown} cannot be read ({error}); the class is evaluated without the imports of its file, and may use "
            f"{', '.join(sorted(namespace.keys() - {'__name__', '__builtins__'}))} and Python's own names."
        ) from error
    found = namespace["Options"]
    if not (isinstance(found, type) and issubclass(found, PartOptions)):
        raise UserError(f"Options in {shown} is not derived from PartOptions; write `class Options(PartOptions):`.")
    if entry not in _names_defined(tree):
        what = (
            "build(options, context), a function that returns the part" if entry == "build" else "a data set's LOADER"
        )
        raise UserError(f"{shown} has no {entry}; define {what}.")
    return found


def parsed(path: Path, shown: str) -> ast.Module:
    """The syntax of a file of Python, which is read without being run.

    Raises:
        UserError: the file is not valid Python; it is named as `shown`.
    """
    try:
        return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    except SyntaxError as error:
        raise UserError(f"{shown} is not valid Python: {error.msg}, line {error.lineno}.") from error
    except (ValueError, RecursionError, MemoryError) as error:  # bytes that are no text, or expressions of absurd depth
        raise UserError(f"{shown} is not valid Python: {reason(error)}.") from error


def _names_defined(tree: ast.Module) -> set[str]:
    """The names that a file defines, assigns or imports at its top."""
    found = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    found |= {
        target.id
        for node in tree.body
        for target in ast.walk(node)
        if isinstance(target, ast.Name) and isinstance(target.ctx, ast.Store)
    }
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    return found | {each.asname or each.name for node in imports for each in node.names}


def defines(family: str, name: str, wanted: str) -> bool:
    """Whether the file of a part defines a name, by its source, which is not imported.

    Raises:
        UserError: the file is not valid Python.
    """
    return wanted in _names_defined(parsed(file(family, name), shown_file(family, name)))


def _definition_of_options(tree: ast.Module, shown: str) -> ast.ClassDef:
    found = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Options"]
    if len(found) != 1:
        raise UserError(f"{shown} has {len(found)} classes called Options; a part has one, with the keys of its entry.")
    return found[0]


def validate(family: str, value: object) -> PartOptions:
    """Turn an entry `{name: ..., key: ...}` into the options of the part it names."""
    if isinstance(value, PartOptions):
        return value
    if not isinstance(value, dict) or "name" not in value:
        raise PydanticCustomError(
            "part", "must be an entry with a name, as in `name: {first}`", {"first": names(family)[0]}
        )
    if value["name"] not in names(family):
        raise PydanticCustomError(
            "part", "has name {came}, which is no file of {folder}; {instead}",
            {
                "came": repr(value["name"]), "folder": shown_folder(family),
                "instead": instead_of(str(value["name"]), names(family), "there are"),
            },
        )  # fmt: skip
    options = options_class(family, value["name"])
    for key in value.keys() - options.model_fields.keys():
        raise PydanticCustomError(
            "part", "has no key {key}; {instead}",
            {"key": repr(key), "instead": instead_of(str(key), options.model_fields)},
        )  # fmt: skip
    return options.model_validate(value)


def own_keys(family: str, name: str, value: dict[str, Any]) -> dict[str, Any]:
    """The keys of a part whose name stands elsewhere, with the defaults of those that `value` leaves out.

    Raises:
        ValueError: the part has no such key, or a value does not fit; pydantic makes it a mistake of the study.
    """
    if not defines(family, name, "Options"):
        if value:
            raise ValueError(f"{name} has no keys of its own; set it to {{}}")
        return {}
    known = [key for key in options_class(family, name).model_fields if key != "name"]
    if unknown := next((key for key in value if key not in known), None):
        raise ValueError(f"has no key {unknown!r}; {instead_of(unknown, known)}")
    return validate(family, {**value, "name": name}).model_dump(mode="json", exclude={"name"})


def module(family: str, name: str) -> ModuleType:
    """Import a part's file.

    Raises:
        UserError: one of the project's own parts imports what is not there, or Python finds another package in the place of them.
    """
    try:
        found = importlib.import_module(module_name(family, name))
    except ImportError as error:
        if name not in own(family):
            raise
        places = (f"{OWN}.{family}", f"{OWN}.{family}.{name}")
        if not isinstance(error, ModuleNotFoundError) or error.name not in places:
            raise UserError(
                f"{shown_file(family, name)} cannot be imported ({reason(error)}); correct the import, or install the package."
            ) from error
        try:
            other = inspect.getfile(importlib.import_module(OWN))
        except TypeError:  # the project's own folder, which has no file of a package
            raise error from None
        raise _shadowed(other, family, name) from error
    if name in own(family) and Path(inspect.getfile(found)).resolve() != file(family, name).resolve():
        raise _shadowed(inspect.getfile(found), family, name)
    return found


def _shadowed(came: str, family: str, name: str) -> UserError:
    return UserError(
        f"Python imports {came} in the place of {file(family, name)}; rename the package `{OWN}` that comes first in Python's path."
    )


def modules_of(value: Any) -> Iterator[str]:
    """The modules of the parts that a section of a study names, at any depth. No import statement shows them."""
    if isinstance(value, PartOptions):
        yield type(value).__module__
    if isinstance(value, BaseModel):
        value = list(vars(value).values())
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for each in value:
            yield from modules_of(each)


def files_of(value: Any) -> list[tuple[str, str, Path]]:
    """The parts that a section of a study names, each once: family, name and file."""
    found = [module.split(".")[-2:] for module in dict.fromkeys(modules_of(value))]
    return [(family, name, file(family, name)) for family, name in found]


def own_files(value: Any) -> list[str]:
    """The files of the project's own parts that a section of a study names, from the project's root, sorted."""
    modules = {module for module in modules_of(value) if module.startswith(f"{OWN}.")}
    return sorted(f"{module.replace('.', '/')}.py" for module in modules)


def require_own_files(files: Sequence[str], path: Path) -> None:
    """Refuse something that needs own parts which the project does not have.

    Args:
        files: of the parts, as `own_files` returns them.
        path: of what needs them, for the error.

    Raises:
        UserError: one is missing.
    """
    if files and is_installed():
        raise UserError(
            f"{path} was made with own parts of its project, {' and '.join(files)}, which an installed vaeline does not have; load it in that project."
        )
    if lacking := [each for each in files if not own_folder("").joinpath(*each.split("/")[1:]).is_file()]:
        raise UserError(
            f"{path} was made with the project's own {' and '.join(lacking)}, which this project ({ROOT}) does not have; copy the file from the "
            "project of the run."
        )


P = TypeVar("P", bound=Part)


def build(contract: type[P], options: PartOptions, *context: object) -> P:
    """Build the part that `options` names, and check it against its contract.

    Args:
        contract: the class that the part is of; it names the family.
        options: of the part.
        context: what else `build` of the part takes.

    Raises:
        UserError: the file has no `build`, or what it returns breaks the contract; or `build` itself refuses the options.
    """
    shown = shown_file(contract.family, options.name)
    found = vars(module(contract.family, options.name)).get("build")
    if not callable(found):
        came = "has no build" if found is None else f"has a build that is {found!r}"
        raise UserError(
            f"{shown} {came}; define build(options, context), a function that returns a {shown_type(contract)}."
        )
    check_takes(found, [options, *context], f"build in {shown}")
    part = found(options, *context)
    if not isinstance(part, contract):
        raise UserError(
            f"build in {shown} returned an object of class {shown_type(type(part))}; it must return a {shown_type(contract)}: derive the class "
            "from that."
        )
    for fault in faults(contract, part):
        raise UserError(f"{shown_type(type(part))} in {shown} breaks the contract of {shown_type(contract)}: {fault}.")
    return part


def check_takes(function: Callable[..., object], given: Sequence[object], shown: str) -> None:
    """Refuse a function of a part that does not take the arguments of its contract.

    Args:
        function: of the part's file.
        given: what it will be called with.
        shown: the function and its file, as messages show them.

    Raises:
        UserError: it takes others.
    """
    try:
        inspect.signature(function).bind(*given)
    except TypeError as error:
        raise UserError(
            f"{shown} does not take the {len(given)} arguments that it is called with ({error}); write it as the contract describes it."
        ) from error


def fetch(family: str, options: PartOptions, data: Path) -> None:
    """Let a part download to below `data` what it needs; a part whose file has no function `fetch` needs nothing."""
    _call_if_defined("fetch", family, options, data)


def require(family: str, options: PartOptions, data: Path) -> None:
    """Let a part check that what it fetches is there; a part whose file has no function `require` needs nothing.

    Raises:
        UserError: something is missing.
    """
    _call_if_defined("require", family, options, data)


def _call_if_defined(function: str, family: str, options: PartOptions, data: Path) -> None:
    """Import the file only if it defines the function: most parts import torch, which takes seconds."""
    if defines(family, options.name, function):
        vars(module(family, options.name))[function](options, data)
