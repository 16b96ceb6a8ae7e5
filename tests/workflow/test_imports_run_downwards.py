"""The packages have a strict order: a file imports only from its own package and earlier ones."""

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# In this strict order: a module imports from its own package and from those before it.
PACKAGES = [
    "vaeline.system", "vaeline.study", "vaeline.data", "vaeline.metrics", "vaeline.models", "vaeline.training", "vaeline.runs",
    "vaeline.evaluation", "vaeline.report", "vaeline.sharing", "vaeline.explorer", "vaeline", "pipeline_steps", "workflow",
]  # fmt: skip
ROOMS_OF_METRICS = ("vaeline.metrics", "vaeline.system")  # a metric imports from these
FILES = sorted(path for name in ("vaeline", "pipeline_steps", "workflow") for path in (ROOT / name).rglob("*.py"))


def layer(module: str) -> int:
    """The position of a module's package in the order.

    Raises:
        KeyError: no package of the order holds the module.
    """
    for height, package in enumerate(PACKAGES):
        if (module.startswith(f"{package}.") and package != "vaeline") or module == package:
            return height
    raise KeyError(f"{module} lies in none of {', '.join(PACKAGES)}")


@cache
def imported(path: Path) -> set[str]:
    """The modules a file imports, inside functions too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        if isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: an import is relative"
            found |= {f"{node.module}.{name.name}" for name in node.names}
    return found


def module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@pytest.mark.parametrize("path", FILES, ids=module)
def test_a_file_imports_only_its_own_or_earlier_packages(path: Path) -> None:
    height = layer(module(path))
    ours = {name for name in imported(path) if name.split(".")[0] in ("vaeline", "pipeline_steps", "workflow")}
    above = {name for name in ours if layer(module_of(name)) > height}
    assert not above, f"{module(path)} imports {', '.join(sorted(above))}"


def module_of(name: str) -> str:
    """The module that a dotted name names or is part of."""
    return name if is_module(name) else name.rpartition(".")[0]


@pytest.mark.parametrize("package", PACKAGES[:11])
def test_package_init_files_hold_only_a_docstring(package: str) -> None:
    for path in ROOT.joinpath(*package.split(".")).rglob("__init__.py"):
        [docstring] = ast.parse(path.read_text(encoding="utf-8")).body
        assert isinstance(docstring, ast.Expr)


def test_the_root_holds_only_packages() -> None:
    there = {path.name for path in (ROOT / "vaeline").iterdir()} - {"__pycache__"}
    assert there == {"__init__.py", "py.typed", *(name.removeprefix("vaeline.") for name in PACKAGES[:11])}


@pytest.mark.parametrize("path", [path for path in FILES if module(path).startswith("vaeline")], ids=module)
def test_the_library_knows_neither_command_line_nor_engines(path: Path) -> None:
    assert not {name.split(".")[0] for name in imported(path)} & {"click", "snakemake", "dvc", "dvclive"}


@pytest.mark.parametrize("path", [path for path in FILES if module(path).startswith("vaeline.metrics")], ids=module)
def test_a_metric_knows_nothing_of_the_model(path: Path) -> None:
    for name in imported(path):
        assert not name.startswith("vaeline.") or name.startswith(ROOMS_OF_METRICS), f"{module(path)} imports {name}"


def test_the_library_has_no_import_cycle() -> None:
    """The modules can be ordered so that each imports only earlier ones. Part files, found by name, count too."""
    modules = {module(path): path for path in FILES}
    graph = {
        name: {each for each in modules if each != name and uses(imported(path), each)}
        for name, path in modules.items()
    }
    while free := [name for name, below in graph.items() if not below]:
        graph = {name: below - set(free) for name, below in graph.items() if name not in free}
    assert not graph, f"these import one another: {', '.join(graph)}"


def uses(names: set[str], module: str) -> bool:
    """Whether `names` contain a module, or a member of it that is not a module."""
    return any(name == module or (name.rpartition(".")[0] == module and not is_module(name)) for name in names)


def is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").exists()
