"""Hashes of source code: all that a module's behaviour depends on, and none of how it is explained.

The text of a module and of every project module it imports is hashed without comments, docstrings and blank lines.
It is the source that is hashed, not its syntax tree, which differs between versions of Python. A file that is no Python
belongs to the modules that share its name: `templates/report.html.j2` to `report`.

Parsing a hundred modules would take a third of a run that has nothing to do, so what was seen in a file is kept in `.code_cache/`, by
the hash of its content.
"""

import ast
import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from vaeline.system.errors import UserError
from vaeline.system.files import write_json

ROOT = Path(__file__).parents[1]


CACHE = ROOT / ".code_cache/seen.json"


PACKAGES = ("vaeline", "pipeline_steps")


DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


# Strings come before comments, so that a # inside one is kept.
TOKENS = re.compile(
    r"""(?P<empty>^[ \t]*(?:\#[^\n]*)?\n)
      | (?P<string>\"{3}(?:\\.|[^\\])*?\"{3} | '{3}(?:\\.|[^\\])*?'{3} | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*')
      | (?P<comment>[ \t]*\#[^\n]*)""",
    re.MULTILINE | re.DOTALL | re.VERBOSE,
)


class Seen(NamedTuple):
    """What is in a module."""

    key: str  # hash of all its bytes
    digest: str  # of its code
    imports: list[str]  # dotted names


def digest(modules: Iterable[str]) -> str:
    """Hash of `modules`, given by dotted names, and of all that they import from this project, inside functions too."""
    lines = [f"{path.relative_to(ROOT)} {_digest(path)}" for path in sorted(closure(modules))]
    _memory().keep()
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def closure(modules: Iterable[str]) -> set[Path]:
    """The files of `modules` and of all that they import from this project."""
    found: set[Path] = set()
    waiting = [path for module in modules for path in _files(module)]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found |= {path, *_data_files().get(path.stem, ())}
            waiting.extend(_imported(path))
    return found


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
    """A node and all statements inside it that are run.

    Expressions, which hold neither docstrings nor imports, are passed over, and so is what only type checkers read.
    """
    yield node
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt | ast.excepthandler | ast.match_case):
            yield from _statements(child)


@cache
def _imported(path: Path) -> tuple[Path, ...]:
    return tuple(file for module in _seen(path).imports for file in _files(module))


def _digest(path: Path) -> str:
    return _seen(path).digest if path.suffix == ".py" else _sha256(path.read_bytes())


@cache
def _seen(path: Path) -> Seen:
    content, name = path.read_bytes(), str(path.relative_to(ROOT))
    key, memory = _sha256(content), _memory()
    if name not in memory.seen or memory.seen[name].key != key:
        text = content.decode()
        memory.seen[name] = Seen(key, _sha256(code_text(text).encode()), list(_imports(path, text)))
        memory.changed = True
    return memory.seen[name]


@dataclass
class _Memory:
    """What this and former processes have seen, by the name of the file."""

    seen: dict[str, Seen]
    changed: bool = False

    def keep(self) -> None:
        """A folder that cannot be written costs time, and nothing else."""
        if self.changed:
            with suppress(OSError, UserError):
                write_json(CACHE, {"by": _own_key(), "seen": self.seen})
        self.changed = False


@cache
def _memory() -> _Memory:
    with suppress(OSError, ValueError, KeyError, TypeError):  # no file, or no sound one
        content = json.loads(CACHE.read_text(encoding="utf-8"))
        if content["by"] == _own_key():
            return _Memory({name: Seen(*entry) for name, entry in content["seen"].items()})
    return _Memory({})


def _own_key() -> str:
    """Another version of this file may see otherwise."""
    return _sha256(Path(__file__).read_bytes())


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _imports(path: Path, text: str) -> Iterator[str]:
    """Dotted names that a file imports; a name out of a module is given as if it were a module too."""
    package = path.relative_to(ROOT).parts[:-1]
    for node in _statements(_parse(text)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            yield from (".".join([*above, *filter(None, [node.module]), name.name]) for name in node.names)


@cache
def _files(module: str) -> tuple[Path, ...]:
    """The files that importing a dotted name runs: its packages' and its own, as far as they are this project's."""
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
def _data_files() -> dict[str, list[Path]]:
    """The packages' files that are no Python, by the name before the first dot."""
    found: dict[str, list[Path]] = {}
    for path in (path for package in PACKAGES for path in (ROOT / package).rglob("*.*")):
        if path.suffix not in (".py", ".pyc") and path.is_file():
            found.setdefault(path.name.split(".")[0], []).append(path)
    return found
