"""Hashes of source code, which change if a module behaves differently and stay if only its explanation changes.

The text of a module, and of every project module that it imports, is hashed without comments, docstrings and blank
lines. The text is hashed and not the syntax tree, because the tree differs between versions of Python.

Line ends and a byte order mark do not count. Neither do files beside the code: backups of editors, notebooks, files of the system.

A data file (a template, a style sheet) belongs to the modules that name it, or a folder above it, in the form
`Path(__file__).parent / "templates"`. No other form is recognised; a test finds data files that no module names.

Parsing a hundred modules would take a third of a run that has nothing to do. The content of a file is therefore kept in
`.code_cache/`, by the hash of the file's content.
"""

import ast
import codecs
import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from pipeline_steps.file_states import PACKAGES, ROOT
from vaeline.system.errors import UserError, reading
from vaeline.system.files import write_json

CACHE = ROOT / ".code_cache/modules.json"
CODE = (".py", ".typed", ".j2", ".css", ".js")  # .dvcignore has the same, so that DVC sees the same files
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
DATA = re.compile(r'''Path\(__file__\)\.parent / "([^"]+)"''')
# Strings come before comments, so that a # inside one is kept.
TOKENS = re.compile(
    r"""(?P<empty>^[ \t]*(?:\#[^\n]*)?\n)
      | (?P<string>\"{3}(?:\\.|[^\\])*?\"{3} | '{3}(?:\\.|[^\\])*?'{3} | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*')
      | (?P<comment>[ \t]*\#[^\n]*)""",
    re.MULTILINE | re.DOTALL | re.VERBOSE,
)


class Module(NamedTuple):
    """The content of a module's file."""

    key: str  # hash of all bytes of the file
    digest: str  # hash of its code
    imports: list[str]  # dotted names
    data: list[str]  # files and folders that it names, relative to its own folder


def is_code(path: Path) -> bool:
    """Whether a file of a package, by its path from the project's root, is part of the code.

    Every other file is passed over, whatever its name is: `model.py~`, `model.py.orig`, `.model.py.swp`, `._model.py`,
    `notes.ipynb`, `.ipynb_checkpoints/model-checkpoint.py`.
    """
    hidden = any(part.startswith(".") or part == "__pycache__" for part in path.parts)
    return path.suffix in CODE and not hidden


def digest(modules: Iterable[str]) -> str:
    """The hash of modules, of all that they import from this project (also inside functions), and of their data files.

    Args:
        modules: dotted names.
    """
    lines = [f"{path.relative_to(ROOT)} {_digest(path)}" for path in sorted(closure(modules))]
    _memory().keep()
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def closure(modules: Iterable[str]) -> set[Path]:
    """The files of modules, of all that they import from this project, and their data files."""
    found: set[Path] = set()
    waiting = [path for module in modules for path in _files(module)]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found |= {path, *_data_files(path)}
            waiting.extend(_imported(path))
    return found


def forget() -> None:
    """Look at the files again for the next hash. Within a hash, and until this is called, each file is looked at once."""
    for known in (_imported, _module, _files, _data_files):
        known.cache_clear()


def code_text(text: str) -> str:
    """A module's source without comments, docstrings and blank lines."""
    lines = text.encode().splitlines(keepends=True)
    for docstring in _docstrings(_parse(text)):
        first, last = docstring.lineno - 1, (docstring.end_lineno or 0) - 1
        rest = lines[first][: docstring.col_offset] + lines[last][docstring.end_col_offset :]
        lines[first : last + 1] = [rest] + [b""] * (last - first)
    return TOKENS.sub(lambda token: token["string"] or "", b"".join(lines).decode())


def _docstrings(tree: ast.Module) -> Iterator[ast.stmt]:
    for node in _statements(tree):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False):
            yield node.body[0]


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """A node and all statements inside it that may run.

    Expressions are left out, because they contain neither docstrings nor imports. Code for type checkers is left out too.
    """
    yield node
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt | ast.excepthandler | ast.match_case):
            yield from _statements(child)


@cache
def _imported(path: Path) -> tuple[Path, ...]:
    return tuple(file for module in _module(path).imports for file in _files(module))


def _digest(path: Path) -> str:
    return _module(path).digest if path.suffix == ".py" else _sha256(_with_plain_line_ends(path.read_bytes()))


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
            code = code_text(text)
            memory.modules[name] = Module(key, _sha256(code.encode()), list(_imports(path, text)), DATA.findall(code))
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
                write_json(CACHE, {"by": _own_key(), "modules": self.modules})
        self.changed = False


@cache
def _memory() -> _Memory:
    with suppress(Exception):  # there is no file, or it is damaged in some way
        content = json.loads(CACHE.read_text(encoding="utf-8"))
        if content["by"] == _own_key():
            return _Memory({name: Module(*entry) for name, entry in content["modules"].items()})
    return _Memory({})


def _own_key() -> str:
    """The hash of this file, because another version of it may parse differently."""
    return _sha256(Path(__file__).read_bytes())


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _imports(path: Path, text: str) -> Iterator[str]:
    """Dotted names that a file imports. A name that is imported from a module is given like a module."""
    package = path.relative_to(ROOT).parts[:-1]
    for node in _statements(_parse(text)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            yield from (".".join([*above, *filter(None, [node.module]), name.name]) for name in node.names)


@cache
def _files(module: str) -> tuple[Path, ...]:
    """The files of this project that the import of a dotted name runs: those of its packages, and its own."""
    above = module.rpartition(".")[0]
    if module.split(".")[0] not in PACKAGES:
        return ()
    path = ROOT.joinpath(*module.split("."))
    own = (file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file())
    return (*_files(above), *own) if above else tuple(own)


@cache
def _parse(text: str) -> ast.Module:
    return ast.parse(text)


@cache
def _data_files(path: Path) -> tuple[Path, ...]:
    """The files that a module names, and all files of the code in the folders that it names."""
    named = [path.parent / name for name in (_module(path).data if path.suffix == ".py" else ())]
    inside = (file for each in named for file in each.rglob("*") if is_code(file.relative_to(ROOT)))
    return tuple(file for file in (*named, *inside) if file.is_file())
