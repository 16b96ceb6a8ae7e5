"""What the source of a module says: its code without explanations, the modules that it imports, and the files that it names.

The result is the same in every version of Python that can parse the module.
"""

import ast
import io
import posixpath
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import PurePosixPath

DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
IMPORTING = ("import_module", "__import__", "run_module")  # functions that take the name of a module
FOR_TYPE_CHECKERS = ("TYPE_CHECKING", "typing.TYPE_CHECKING")
# Modules and functions that find files of a package.
FINDERS = ("importlib.resources", "importlib_resources", "pkgutil", "vaeline.study.parts.folder")
FOUND_BY = ("__file__", "__path__", "__spec__", "__loader__", "importlib.resources", "find_spec", "parts.folder")
UPWARDS = ("parent", "parents", "with_name", "pardir", "dirname")  # from a path to another folder
LONGEST = 200  # characters of a path


@cache
def parse(text: str) -> ast.Module:
    """The syntax tree of a module."""
    return ast.parse(text)


def code_text(text: str) -> str:
    """A module's source without comments, docstrings and blank lines.

    An encoding other than UTF-8 counts, and docstrings count in a module that reads docstrings.
    """
    encoding, _ = tokenize.detect_encoding(io.BytesIO(text.encode()).readline)
    lines = text.encode().splitlines(keepends=True)
    for docstring in () if "__doc__" in text or "getdoc" in text else _docstrings(parse(text)):
        first, last = docstring.lineno - 1, (docstring.end_lineno or 0) - 1
        rest = lines[first][: docstring.col_offset] + lines[last][docstring.end_col_offset :]
        lines[first : last + 1] = [rest] + [b""] * (last - first)
    return f"{encoding}\n" * (not encoding.startswith("utf-8")) + _without_comments(b"".join(lines).decode())


@cache
def imports(text: str, package: tuple[str, ...]) -> frozenset[str]:
    """Dotted names that a module may import. A name that is imported from a module is given like a module.

    Args:
        text: of the module.
        package: the folders that the module lies in.
    """
    return frozenset(name for node in _nodes(parse(text)) for name in _imported_by(node, package))


def files(text: str, file: PurePosixPath, packages: tuple[str, ...]) -> set[str]:
    """Files and folders that a module names, by their paths from the project's root.

    They begin with `Path(__file__)`, or with a package as in `"vaeline/report/templates"`, or end in `.py`. A module that finds files
    of a package in another way may read whatever lies in the packages; then the packages are named.

    Args:
        text: of the module.
        file: of the module, from the root.
        packages: whose files are named.
    """
    found, places = set(), set()
    rest: list[ast.AST] = []  # nodes outside of the paths that are understood
    waiting: list[ast.AST] = [parse(text)]
    while waiting:
        node = waiting.pop()
        if (place := _place(node, file)) and place != file:
            places.add(posixpath.normpath(place))
        elif isinstance(node, ast.Constant) and _is_path(node.value, packages):
            found.add(posixpath.normpath(str(node.value).lstrip("./")))
        else:
            rest.append(node)
            waiting.extend(_inside(node))
    imported = any(name.startswith(FINDERS) for name in imports(text, file.parts[:-1]))
    if imported or _finds_files(rest, packages) or (places and _goes_upwards(rest)):
        found |= set(packages)
    return {name for name in found | places if name.split("/")[0] not in (".", "..")}


def words(text: str, package: tuple[str, ...]) -> set[str]:
    """What may be the name of a module or of a file, among the strings of a module: `vaeline.models.mine`, `mine.json`.

    Args:
        text: of the module.
        package: the folders that the module lies in.
    """
    nodes = _nodes(parse(text))
    parts = {id(value) for node in nodes if isinstance(node, ast.JoinedStr) for value in node.values}
    found = set()
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "." in node.value[:LONGEST]:
            name = node.value.replace("\\", "/").rpartition("/")[2]
            if _is_dotted(name.lstrip(".")) and name.startswith(".") and id(node) not in parts:
                name = _absolute(name, package)
            if re.fullmatch(r".*[^.]\.[\w-]+", name):
                found.add(name)
    return found


def _finds_files(nodes: list[ast.AST], packages: tuple[str, ...]) -> bool:
    """Whether code finds files of a package: with a `__file__`, with `Path("vaeline", ...)`, with `folder / "vaeline"`."""
    names = [_last_names(node) for node in nodes if isinstance(node, ast.Name | ast.Attribute)]
    joined = [each for node in nodes if isinstance(node, ast.Call) and not _looks_up(node) for each in node.args]
    joined += [each for node in nodes if isinstance(node, ast.BinOp) for each in (node.left, node.right)]
    named = [each.value for each in joined if isinstance(each, ast.Constant)]
    return any(name.endswith(FOUND_BY) for name in names) or any(name in packages for name in named)


def _last_names(node: ast.AST) -> str:
    """The last two names of `importlib.resources.files`, or what there is of them."""
    match node:
        case ast.Attribute(ast.Name(before) | ast.Attribute(_, before), name):
            return f"{before}.{name}"
        case ast.Attribute(_, name) | ast.Name(name):
            return name
    return ""


def _looks_up(call: ast.Call) -> bool:
    """Whether a call takes a key, as in `found.get("parts")`, and no path."""
    return isinstance(call.func, ast.Attribute) and call.func.attr == "get"


def _goes_upwards(nodes: list[ast.AST]) -> bool:
    """Whether code leaves a folder for one that is not below it."""
    return any(
        (isinstance(node, ast.Name | ast.Attribute) and _last_names(node).rpartition(".")[2] in UPWARDS)
        or (isinstance(node, ast.Constant) and isinstance(node.value, str) and ".." in node.value.split("/"))
        for node in nodes
    )


def _is_path(value: object, packages: tuple[str, ...]) -> bool:
    return isinstance(value, str) and (
        value.lstrip("./").startswith(tuple(f"{name}/" for name in packages)) or value.endswith(".py")
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


@cache
def _nodes(tree: ast.AST) -> list[ast.AST]:
    """All nodes that may run, which excludes code for type checkers."""
    found = [tree]
    for node in found:
        found.extend(_inside(node))
    return found


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
        case ast.Call(function) if ast.unparse(function).rpartition(".")[2] in IMPORTING:
            yield from _called_names(node, package)
        case ast.Call(_, [ast.Constant(str(module)), *_]) if "." in module and _is_dotted(module):
            yield module  # `load("vaeline.a")` may import


def _called_names(call: ast.Call, package: tuple[str, ...]) -> Iterator[str]:
    """What a call may import: each of its strings, alone or below one of its other strings or the importing module's package."""
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    given += [each for value in given if isinstance(value, ast.List | ast.Tuple) for each in value.elts]
    names = [value.value for value in given if isinstance(value, ast.Constant) and isinstance(value.value, str)]
    for name in names:
        yield _absolute(name, package)
        for above in (package, *(tuple(each.split(".")) for each in names if not each.startswith("."))):
            yield _absolute(name if name.startswith(".") else f".{name}", above)


def _is_dotted(name: str) -> bool:
    return all(map(str.isidentifier, name.split(".")))


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
        case ast.Call(ast.Attribute(inner, "with_name"), [ast.Constant(str(name))]) if place := _place(inner, file):
            return place.parent / name
    return None
