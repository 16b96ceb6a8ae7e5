"""Every row of the table of races can run: its sides exist, and its numbers make sense."""

import ast
import importlib
from pathlib import Path

import pytest

from benchmarks.curves import CURVES
from benchmarks.race import OUR_PYTHON, ROOT, Side
from benchmarks.rows import ROWS

SIDES = ROOT / "benchmarks/sides"
OURS = [path.stem for path in sorted(SIDES.glob("ours_*.py"))]
CURVE_SIDES = [Side(OUR_PYTHON, "ours_curves", curve.function, ("1",)) for curve in CURVES]
ALL_SIDES = [side for row in ROWS for side in (row.baseline, row.ours)] + CURVE_SIDES


def functions(path: Path) -> dict[str, int]:
    """Functions of a module and their numbers of arguments, without an import: peers are not installed here."""
    tree = ast.parse(path.read_text())
    return {node.name: len(node.args.args) for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_names_differ_and_aims_exceed_gates() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS)
    assert all(row.aim >= gate >= 0 for row in ROWS for gate in (row.gate, *row.gates.values()))


@pytest.mark.parametrize("side", sorted(set(ALL_SIDES), key=str), ids=lambda side: f"{side.module}.{side.function}")
def test_every_side_has_its_function(side: Side) -> None:
    assert functions(SIDES / f"{side.module}.py")[side.function] == len(side.arguments)


@pytest.mark.parametrize("module", [*(f"sides.{name}" for name in OURS), "precision", "roofline", "stress", "study"])
def test_modules_that_use_the_library_can_be_imported(module: str) -> None:
    importlib.import_module(f"benchmarks.{module}")
