"""The layers of the project: a file imports what lies below it, and never what lies above."""

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LAYERS = [
    ["vaeline.networks", "vaeline.flows"],
    [
        "vaeline.posteriors",
        "vaeline.priors",
        "vaeline.likelihoods",
        "vaeline.regularizers",
        "vaeline.bounds",
        "vaeline.densities",
    ],
    ["vaeline.model"],
    ["vaeline.training", "vaeline.sampling", "vaeline.evaluation"],
    [
        "vaeline.results",
        "vaeline.comparison",
        "vaeline.table",
        "vaeline.figures",
        "vaeline.latent_figures",
        "vaeline.pareto",
        "vaeline.drawings",
        "vaeline.costs",
        "vaeline.report",
        "vaeline.explorer",
    ],
    ["pipeline_steps"],
    ["workflow"],
]
FILES = sorted(path for name in ("vaeline", "pipeline_steps", "workflow") for path in (ROOT / name).rglob("*.py"))


def layer(module: str) -> int | None:
    """How high a module lies; None for those outside the order."""
    for height, names in enumerate(LAYERS):
        if any(module == name or module.startswith(f"{name}.") for name in names):
            return height
    return None


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
def test_a_file_imports_nothing_that_lies_above_it(path: Path) -> None:
    height = layer(module(path))
    for name in imported(path):
        above = layer(name)
        if above is not None and module(path).startswith("vaeline") and not name.startswith("vaeline"):
            pytest.fail(f"{module(path)}, of the library, imports {name}")
        assert height is None or above is None or above <= height, f"{module(path)} imports {name}"


@pytest.mark.parametrize("path", [path for path in FILES if module(path).startswith("vaeline")], ids=module)
def test_the_library_knows_neither_command_line_nor_engines(path: Path) -> None:
    assert not {name.split(".")[0] for name in imported(path)} & {"click", "snakemake", "dvc", "dvclive"}


@pytest.mark.parametrize("path", [path for path in FILES if module(path).startswith("vaeline.metrics")], ids=module)
def test_a_metric_knows_nothing_of_the_model(path: Path) -> None:
    for name in imported(path):
        assert not name.startswith("vaeline.") or name.startswith("vaeline.metrics"), f"{module(path)} imports {name}"


def test_the_library_has_no_circle() -> None:
    """Modules can be put into an order in which each imports only those before it; part files, found by name, too."""
    modules = {module(path): path for path in FILES}
    graph = {
        name: {each for each in modules if each != name and uses(imported(path), each)}
        for name, path in modules.items()
    }
    while free := [name for name, below in graph.items() if not below]:
        graph = {name: below - set(free) for name, below in graph.items() if name not in free}
    assert not graph, f"these import one another: {', '.join(graph)}"


def uses(names: set[str], module: str) -> bool:
    """Whether `names` hold a module, or something that is in it and no module."""
    return any(name == module or (name.rpartition(".")[0] == module and not is_module(name)) for name in names)


def is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").exists()
