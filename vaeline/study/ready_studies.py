"""Ready studies: the files of `studies/`. A study may extend another one, and may have a quick overlay."""

from pathlib import Path

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.nodes import ScalarNode

from vaeline.study import json_schema
from vaeline.study.reading import Content, check, read_yaml
from vaeline.study.schema import Study
from vaeline.system.errors import UserError, instead_of, shown

FOLDER = Path("studies")  # of a project
INSTALLED = Path(__file__).parents[1] / "studies"  # of the wheel; a repository has no such folder
PUBLISHED = "published"  # the file of `studies/` that is no study: published results that studies are held against
TEXT = "tag:yaml.org,2002:str"  # YAML's name of the type


def names() -> list[str]:
    """The names of the studies on disk, sorted."""
    return sorted(path.stem for path in folder().glob("*.yaml") if path.stem != PUBLISHED)


def folder() -> Path:
    """The studies of the project, or those that were installed with vaeline where there is no project."""
    return FOLDER if FOLDER.is_dir() or not INSTALLED.is_dir() else INSTALLED


def resolve(name: str, quick: bool = False) -> Study:
    """Read a study with all that it extends, and with every default spelled out.

    Args:
        name: of a file of `studies/`, without its suffix.
        quick: whether to apply the study's `quick` overlay; the study's name then ends in `_quick`.

    Raises:
        UserError: the study or the overlay does not exist, or the result does not fit the schema.
    """
    content = _read(name, [])
    quick_overlay = content.pop("quick", None)
    if quick:
        if quick_overlay is None:
            raise UserError(f"studies/{name}.yaml has no quick overlay; leave out QUICK=1, or add a `quick` section.")
        content = overlay(content, quick_overlay) | {"published": {}}  # a quick study is not compared with papers
        content.setdefault("study", {})["name"] = f"{name}_quick"
    return check(content, FOLDER / f"{name}.yaml")


def has_quick(name: str) -> bool:
    """Whether a study has a quick overlay, its own or an inherited one."""
    return "quick" in _read(name, [])


def seeds_of(name: str) -> list[int]:
    """The seeds of a study, of its quick overlay if it has one; none if the file names none."""
    content = _read(name, [])
    seeds = {**content.get("study", {}), **content.get("quick", {}).get("study", {})}.get("seeds", [])
    return (
        list(seeds) if isinstance(seeds, list) else resolve(name, has_quick(name)).study.seeds
    )  # which says what is wrong


def variants_of(name: str) -> list[str]:
    """The names of a study's variants, whether or not `study.variants` names them."""
    return list(_read(name, []).get("variants", {}))


def every() -> list[Study]:
    """All studies on disk. A study with a quick overlay is there once without it and once with it."""
    return [resolve(name, quick) for name in names() for quick in (False, True)[: 1 + has_quick(name)]]


def overlay(base: Content, over: Content) -> Content:
    """Merge each section of the study `over` into the section of the study `base`."""
    return base | {section: merge(base.get(section, {}), content) for section, content in over.items()}


def merge(base: Content, over: Content) -> Content:
    """Merge `over` into `base`, key by key. A list, or a part of another name, replaces the old value."""
    merged = dict(base)
    for key, value in over.items():
        old = base.get(key)
        if isinstance(old, dict) and isinstance(value, dict) and value.get("name", old.get("name")) == old.get("name"):
            merged[key] = merge(old, value)
        else:
            merged[key] = value
    return merged


def as_yaml(study: Study) -> str:
    """The text of params.yaml for a resolved study."""
    about = "# The active study, fully resolved. `make use STUDY=<name>` replaces it by another study of studies/.\n"
    sections = []
    for name, content in study.model_dump(mode="json").items():
        nested = any(isinstance(value, dict | list) for value in content.values())
        text = yaml.dump(
            {name: content},
            Dumper=_Dumper,
            sort_keys=False,
            default_flow_style=None if nested else False,
            width=120,
            allow_unicode=True,
        )
        meaning = (Study.model_fields[name].description or "").strip()
        sections.append(f"# {meaning}\n{text}" if meaning else text)
    return json_schema.head() + about + "\n" + "\n".join(sections)


class _Dumper(yaml.SafeDumper):
    """Quotes a text that YAML 1.2 reads as a number, such as 1e3 or 0o10, which is a text in PyYAML's YAML 1.1."""


def _represent_text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    other = YAML(typ="safe").resolver.resolve(ScalarNode, text, (True, False)) != TEXT
    return dumper.represent_scalar(TEXT, text, style="'" if other else None)


_Dumper.add_representer(str, _represent_text)


def _read(name: str, above: list[str]) -> Content:
    if name not in names():
        raise UserError(f"There is no study {shown(name)} in studies/; {instead_of(name, names(), 'there are')}.")
    if name in above:
        raise UserError(
            f"studies/{name}.yaml extends itself, by way of {' -> '.join([*above, name])}; remove one `extends`."
        )
    content = read_yaml(folder() / f"{name}.yaml")
    for section, value in content.items():
        if section != "extends":
            _check_has_keys(name, section, value)
    for section, value in content.get("quick", {}).items():
        _check_has_keys(name, f"quick.{section}", value)
    base = content.pop("extends", None)
    if base is None:
        return content
    if base not in names():
        known = instead_of(str(base), names(), "there are")
        raise UserError(f"studies/{name}.yaml extends {shown(base)}, and there is no such study in studies/; {known}.")
    return overlay(_read(base, [*above, name]), content)


def _check_has_keys(study: str, section: str, value: object) -> None:
    if not isinstance(value, dict):
        raise UserError(f"studies/{study}.yaml: {section} is {value!r}, but should contain keys.")
