"""Hashes of source code, which change if a module behaves differently and stay if only its explanation changes.

The text of a module, and of every project module that it imports, is hashed without comments, docstrings and blank
lines. The text is hashed and not the syntax tree, because the tree differs between versions of Python.

Line ends and a byte order mark do not count. Neither do files beside the code: backups of editors, notebooks, files of the system.

A data file (a template, a table) belongs to the modules that name it, or a folder above it, as in
`Path(__file__).parent / "templates"`, and to each module that has its name as a string, as in `folder / "scales.json"`.
A module that finds files of a package
in another way has all data files of the packages. A module that is named in a string is taken for imported. A data file with a suffix
that DVC does not see, a linked folder, a compiled module, and an import of a module of this project outside the packages are refused.

Parsing a hundred modules would take a third of a run that has nothing to do. The content of a file is therefore kept in
`.code_cache/`, by the hash of the file's content.
"""

import codecs
import hashlib
import inspect
import json
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache
from importlib.machinery import all_suffixes
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from pipeline_steps.file_states import PACKAGES, ROOT
from pipeline_steps.module_source import code_text, files, imports, words
from vaeline.system.errors import UserError, reading
from vaeline.system.sealed_files import unseal, write_sealed

CACHE = ROOT / ".code_cache/modules.json"
# .dvcignore has the same suffixes, so that DVC sees the same files.
CODE = (".py", ".typed", ".j2", ".css", ".js", ".json", ".yaml", ".csv", ".npy", ".npz", ".bib")
# What editors and systems leave behind.
STRAY = ("*~", "#*", "*.bak", "*.ipynb", "*.orig", "*.part", "*.rej", "*.sw?", "*.tmp", "Thumbs.db", "desktop.ini")


class Module(NamedTuple):
    """The content of a module's file."""

    key: str  # hash of all bytes of the file
    digest: str  # hash of its code
    imports: list[str]  # dotted names
    data: list[str]  # files and folders that it names, relative to the root
    words: list[str]  # strings that may be the name of a module or of a file


def is_code(path: Path) -> bool:
    """Whether a file of a package, by its path from the project's root, is part of the code.

    Every other file is passed over, whatever its name is: `model.py~`, `model.py.orig`, `.model.py.swp`, `._model.py`,
    `notes.ipynb`, `.ipynb_checkpoints/model-checkpoint.py`.
    """
    return path.suffix in CODE and not _is_hidden(path)


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") or part == "__pycache__" for part in path.parts)


def digest(modules: Iterable[str]) -> str:
    """The hash of modules, of all that they import from this project (also inside functions), and of their data files.

    Args:
        modules: dotted names.
    """
    return digest_of(closure(modules))


def digest_of(paths: Iterable[Path]) -> str:
    """The hash of code and data files, without what they import."""
    lines = [f"{path.relative_to(ROOT)} {_digest(path)}" for path in sorted(paths)]
    _memory().keep()
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def closure(modules: Iterable[str]) -> set[Path]:
    """The files of modules, of all that they import from this project, and their data files."""
    return set(_closure(frozenset(modules)))


@cache
def _closure(modules: frozenset[str]) -> frozenset[Path]:
    """The variants of a study share few sets of modules."""
    found: set[Path] = set()
    waiting = [path for module in modules for path in _files(module)]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting.extend([*_data_files(path), *_imported(path)])
    return frozenset(found)


def forget() -> None:
    """Look at the files again for the next hash. Within a hash, and until this is called, each file is looked at once."""
    for known in (_closure, _imported, _module, _files, _data_files, _by_name, _file_outside, _refuse_linked):
        known.cache_clear()


@cache
def _imported(path: Path) -> tuple[Path, ...]:
    if path.suffix != ".py":
        return ()
    for module in _module(path).imports:
        if outside := _file_outside(module):
            raise _outside(path, "imports", outside)
    named = [file for word in _module(path).words for file in _files(word) if _has_code(file)]
    return (*(file for module in _module(path).imports for file in _files(module)), *named)


def _has_code(path: Path) -> bool:
    """Whether a module is more than a docstring. The name of a package in a table of names takes nothing else in."""
    return _module(path).digest != _sha256(b"")


def _digest(path: Path) -> str:
    if path.suffix == ".py":
        return _module(path).digest
    content = path.read_bytes()
    return _sha256(content if b"\0" in content else _with_plain_line_ends(content))


def _with_plain_line_ends(content: bytes) -> bytes:
    """The content as git keeps it on Linux; git or an editor on Windows may write other line ends."""
    return content.removeprefix(codecs.BOM_UTF8).replace(b"\r\n", b"\n").replace(b"\r", b"\n")


@cache
def _module(path: Path) -> Module:
    content, name = path.read_bytes(), str(path.relative_to(ROOT))
    key, memory = _sha256(content), _memory()
    if name not in memory.modules or memory.modules[name].key != key:
        with reading(path, "correct it", "not valid Python"):
            text = _with_plain_line_ends(content).decode()
            file = PurePosixPath(path.relative_to(ROOT))
            package = file.parts[:-1]
            found = imports(text, package), files(text, file, PACKAGES), words(text, package)
            memory.modules[name] = Module(key, _sha256(code_text(text).encode()), *map(sorted, found))
        memory.changed = True
    return memory.modules[name]


@dataclass
class _Memory:
    """What this process and former ones have parsed, by the name of the file."""

    modules: dict[str, Module]
    changed: bool = False

    def keep(self) -> None:
        """Write what was parsed. A folder that cannot be written costs only time."""
        if self.changed:
            with suppress(OSError, UserError):
                write_sealed(CACHE, {"by": _own_key(), "modules": self.modules})
        self.changed = False


@cache
def _memory() -> _Memory:
    with suppress(Exception):  # there is no file, or it is damaged in some way
        content = unseal(json.loads(CACHE.read_bytes()))
        if content["by"] == _own_key():
            return _Memory({name: Module(*entry) for name, entry in content["modules"].items()})
    return _Memory({})


def _own_key() -> str:
    """The hash of the modules that parse and of Python's version, because another version may parse differently."""
    texts = [Path(inspect.getfile(sys.modules[name])).read_bytes() for name in (__name__, code_text.__module__)]
    return _sha256(b"".join([*texts, sys.version.encode()]))


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@cache
def _files(module: str) -> tuple[Path, ...]:
    """The files of this project that the import of a dotted name runs: those of its packages, and its own."""
    above, _, name = module.rpartition(".")
    if module.split(".")[0] not in PACKAGES:
        return ()
    path = ROOT.joinpath(*module.split("."))
    candidates = path.parent.glob("*.py") if name == "*" else (path.with_suffix(".py"), path / "__init__.py")
    own = tuple(file for file in candidates if file.is_file() and is_code(file.relative_to(ROOT)))
    for file in own:
        _refuse_linked(file)
    _refuse_compiled(path)
    return (*_files(above), *own) if above else own


@cache
def _data_files(path: Path) -> tuple[Path, ...]:
    """The files that a module names, the files of the folders that it names, and those with a name that it has as a string.

    The modules in a folder count only if it lies below the module's own.

    Raises:
        UserError: a file has a suffix that DVC does not see, or lies in a linked folder.
    """
    if path.suffix != ".py":
        return ()
    found = [file for word in _module(path).words for file in _by_name().get(word, ())]
    for each in map(ROOT.joinpath, _module(path).data):
        inside = (file for file in each.rglob("*") if file.suffix != ".py" or path.parent in each.parents)
        found += [each, *(file for file in inside if not _is_stray(file.relative_to(each)))]
    for each in found:
        _refuse_linked(each)
    found = [file for file in found if file.is_file()]
    for file in (each.relative_to(ROOT) for each in found):
        if file.parts[0] not in PACKAGES:
            raise _outside(path, "may read", file)
        if not is_code(file):
            raise UserError(
                f"{file} may be read by {path.relative_to(ROOT)}, but only visible files that end in {', '.join(CODE)} count as "
                "code, so that nobody would notice an edit of it; save it in one of these formats, or move it out of "
                f"{file.parent} if nothing reads it."
            )
    return tuple(found)


@cache
def _by_name() -> dict[str, list[Path]]:
    """The files of the packages by their names, without those that every package has."""
    found: dict[str, list[Path]] = {}
    for folder, _, names in (each for package in PACKAGES for each in os.walk(ROOT / package)):
        for path in (Path(folder, name) for name in names if name != "__init__.py"):
            if not _is_stray(path.relative_to(ROOT)):
                found.setdefault(path.name, []).append(path)
    return found


def _is_stray(path: Path) -> bool:
    """Whether an editor or the system left a file behind, in a folder that a module names."""
    return _is_hidden(path) or any(fnmatch(path.name, pattern) for pattern in STRAY)


@cache
def _file_outside(module: str) -> Path | None:
    """The file of this project that the import of a dotted name would run, and that is not hashed; None if it runs none."""
    names = module.split(".")
    if names[0] in PACKAGES:
        return None
    place = ROOT
    for name in names:
        files = sorted(place.glob("*.py")) if name == "*" else (place / f"{name}.py", place / name / "__init__.py")
        for file in filter(Path.is_file, files):
            return file.relative_to(ROOT)
        place /= name
        if not place.is_dir():
            return None
    return None


@cache
def _refuse_linked(path: Path) -> None:
    """Refuse a file or folder of the packages that lies in a linked folder, or is one.

    Raises:
        UserError: a folder is a link.
    """
    if path.parent == ROOT or ROOT not in path.parents:
        return
    if path.is_symlink() and path.is_dir():
        raise UserError(
            f"{path.relative_to(ROOT)} is a link to a folder, in which nobody would notice an edit; put the folder itself in the "
            "place of the link."
        )
    _refuse_linked(path.parent)


def _refuse_compiled(module: Path) -> None:
    """Refuse a module that Python would load from a compiled file.

    Args:
        module: the path of the module without a suffix.

    Raises:
        UserError: there is such a file.
    """
    for suffix in all_suffixes():
        for file in _by_name().get(module.name + suffix, ()):
            if suffix != ".py" and file.parent == module.parent:
                raise UserError(
                    f"{file.relative_to(ROOT)} is a compiled module, and only sources count as code, so that nobody would notice a "
                    "change of it; put its source in its place, or install it as a package."
                )


def _outside(path: Path, does: str, file: Path) -> UserError:
    return UserError(
        f"{path.relative_to(ROOT)} {does} {file}, which lies outside {', '.join(PACKAGES)}, so that nobody would notice an edit "
        f"of it; move it into {PACKAGES[-1]} or vaeline, and name it there."
    )
