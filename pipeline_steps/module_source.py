"""What the source of a module says: its code without explanations, the modules that it imports, and the files that it names.

The result is the same in every version of Python that can parse the module.
"""

import ast
import io
import posixpath
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import PurePosixPath

DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
IMPORTING = ("import_module", "__import__", "run_module")  # functions that take the name of a module
FOR_TYPE_CHECKERS = ("TYPE_CHECKING", "typing.TYPE_CHECKING")
READS_BESIDE = ("importlib.resources", "importlib_resources", "pkgutil")  # modules that find data files of a package
BESIDE = ("__path__", "__spec__", "__loader__")  # names with which a module finds its folder


@cache
def parse(text: str) -> ast.Module:
    """The syntax tree of a module."""
    return ast.parse(text)


def code_text(text: str) -> str:
    """A module's source without comments, docstrings and blank lines."""
    lines = text.encode().splitlines(keepends=True)
    for docstring in _docstrings(parse(text)):
        first, last = docstring.lineno - 1, (docstring.end_lineno or 0) - 1
        rest = lines[first][: docstring.col_offset] + lines[last][docstring.end_col_offset :]
        lines[first : last + 1] = [rest] + [b""] * (last - first)
    return _without_comments(b"".join(lines).decode())


def imports(text: str, package: tuple[str, ...]) -> set[str]:
    """Dotted names that a module may import. A name that is imported from a module is given like a module.

    Args:
        text: of the module.
        package: the folders that the module lies in.
    """
    return {name for node in _nodes(parse(text)) for name in _imported_by(node, package)}


def files(text: str, file: PurePosixPath, packages: tuple[str, ...]) -> set[str]:
    """Files and folders that a module names, by their paths from the project's root.

    They begin with `Path(__file__)`, or with a package as in `"vaeline/report/templates"`, or end in `.py`. A module that uses `__file__`
    in another way, or looks for resources, may read whatever lies in its folder; then its folder is named.

    Args:
        text: of the module.
        file: of the module, from the root.
        packages: whose files are named.
    """
    found: set[str] = set()
    waiting: list[ast.AST] = [parse(text)]
    while waiting:
        node = waiting.pop()
        if place := _place(node, file):
            found.add(str(file.parent) if place == file else posixpath.normpath(place))
        elif isinstance(node, ast.Name) and node.id in BESIDE:
            found.add(str(file.parent))
        elif isinstance(node, ast.Constant) and _is_path(node.value, packages):
            found.add(posixpath.normpath(str(node.value)))
        else:
            waiting.extend(_inside(node))
    if any(name.startswith(READS_BESIDE) for name in imports(text, file.parts[:-1])):
        found.add(str(file.parent))
    return {name for name in found if name.split("/")[0] not in (".", "..")}


def _is_path(value: object, packages: tuple[str, ...]) -> bool:
    return isinstance(value, str) and (
        value.startswith(tuple(f"{name}/" for name in packages)) or value.endswith(".py")
    )


def _without_comments(text: str) -> str:
    lines = io.StringIO(text).readlines()
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError):  # an oddity that only the parser takes: its comments count
        return text
    strings = list(_strings(tokens))
    for token in tokens:
        (line, column), end = token.start, "\n" * token.line.endswith("\n")
        if token.type == tokenize.COMMENT and not any(begin < token.start < last for begin, last in strings):
            lines[line - 1] = lines[line - 1][:column].rstrip(" \t") + end
    inside = {number for begin, last in strings for number in range(begin[0] + 1, last[0] + 1)}
    above = ["", *lines]
    return "".join(
        line
        for number, line in enumerate(lines, 1)
        if line.strip(" \t\f\n") or number in inside or above[number - 1].endswith("\\\n")
    )


def _strings(tokens: list[tokenize.TokenInfo]) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """The begin and the end of each string of several lines. From Python 3.12 on, an f-string is several tokens."""
    begun: list[tuple[int, int]] = []
    for token in tokens:
        name, begin = tokenize.tok_name[token.type], token.start
        if name.endswith("STRING_START"):
            begun.append(begin)
        elif name.endswith("STRING_END"):
            begin = begun.pop()
        if name.endswith(("STRING", "STRING_END")) and begin[0] < token.end[0]:
            yield begin, token.end


def _docstrings(tree: ast.Module) -> Iterator[ast.stmt]:
    for node in _nodes(tree):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False):
            yield node.body[0]


def _nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes that may run, which excludes code for type checkers."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(_inside(node))


def _inside(node: ast.AST) -> list[ast.AST]:
    if isinstance(node, ast.If) and ast.unparse(node.test) in FOR_TYPE_CHECKERS:
        return list(node.orelse)
    return list(ast.iter_child_nodes(node))


def _imported_by(node: ast.AST, package: tuple[str, ...]) -> Iterator[str]:
    match node:
        case ast.Import(names):
            yield from (name.name for name in names)
        case ast.ImportFrom(module, names, level):
            yield from (_absolute("." * level + ".".join(filter(None, [module, name.name])), package) for name in names)
        case ast.Call(function, [ast.Constant(str(module)), *_]):
            dotted = "." in module and all(map(str.isidentifier, module.split(".")))  # `load("vaeline.a")` may import
            if dotted or ast.unparse(function).rpartition(".")[2] in IMPORTING:
                yield _absolute(module, package)


def _absolute(module: str, package: tuple[str, ...]) -> str:
    """The name of a module that may begin with a dot for each step up from the importing module."""
    name = module.lstrip(".")
    level = len(module) - len(name)
    return ".".join([*(package[: len(package) - level + 1] if level else ()), *filter(None, [name])])


def _place(node: ast.AST, file: PurePosixPath) -> PurePosixPath | None:
    """The path that an expression makes of `__file__`; None if it is no such expression."""
    match node:
        case ast.Name("__file__"):
            return file
        case ast.Call(ast.Name("Path") | ast.Attribute(_, "Path"), [inner]):
            return _place(inner, file)
        case ast.Call(ast.Attribute(inner, "resolve" | "absolute")):
            return _place(inner, file)
        case ast.Attribute(inner, "parent") if place := _place(inner, file):
            return place.parent
        case ast.Subscript(ast.Attribute(inner, "parents"), ast.Constant(int(level))) if place := _place(inner, file):
            return place.parents[level] if level < len(place.parents) else PurePosixPath("..")
        case ast.BinOp(inner, ast.Div(), ast.Constant(str(name))) if place := _place(inner, file):
            return place / name
    return None
