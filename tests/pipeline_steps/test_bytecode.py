"""Bytecode of another text of a module is noticed."""

import importlib.util
import os
import py_compile
import time
from pathlib import Path

import pytest

from pipeline_steps.bytecode import forget_other_bytecode


@pytest.fixture
def module(tmp_path: Path) -> Path:
    """A module with the bytecode of its text."""
    path = tmp_path / "seeds.py"
    path.write_text("SHIFT = 8 >> 1\n")
    py_compile.compile(str(path))
    return path


def rewrite(path: Path, text: str) -> None:
    """Write a text of the same size in the same second."""
    times = path.stat().st_atime_ns, path.stat().st_mtime_ns
    path.write_text(text)
    os.utime(path, ns=times)


def test_bytecode_of_another_text_is_removed(module: Path) -> None:
    rewrite(module, "SHIFT = 8 >> 2\n")
    namespace: dict[str, int] = {}
    spec = importlib.util.spec_from_file_location("seeds", module)
    assert spec and spec.loader
    exec(spec.loader.get_code("seeds"), namespace)  # type: ignore[attr-defined]
    assert namespace["SHIFT"] == 4  # Python takes the old bytecode
    assert forget_other_bytecode(module)
    assert not Path(importlib.util.cache_from_source(str(module))).exists()
    assert not forget_other_bytecode(module)


def test_bytecode_of_the_text_is_kept_and_compared_once(module: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rewrite(module, "SHIFT = 8 >> 1\n")
    time.sleep(0.05)  # times of files advance in steps
    assert not forget_other_bytecode(module)
    monkeypatch.setattr("pipeline_steps.bytecode.marshal.loads", lambda content: pytest.fail("compared again"))
    assert not forget_other_bytecode(module)


def test_bytecode_that_python_would_not_take_is_left_alone(module: Path) -> None:
    module.write_text("SHIFT = 800 >> 1\n")
    assert not forget_other_bytecode(module)


@pytest.mark.parametrize("text", ["SHIFT = 8 >> 2\n", "SHIFT = 800 >> 1\n"])
def test_bytecode_that_python_trusts_without_a_look_is_compared(module: Path, text: str) -> None:
    py_compile.compile(str(module), invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    cached = Path(importlib.util.cache_from_source(str(module)))
    assert not forget_other_bytecode(module) and cached.exists()
    module.write_text(text)
    os.utime(cached)  # as in a copy of the project, whose files are all new
    assert forget_other_bytecode(module) and not cached.exists()


def test_bytecode_whose_hash_python_checks_is_left_alone(module: Path) -> None:
    py_compile.compile(str(module), invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH)
    module.write_text("SHIFT = 8 >> 2\n")
    assert not forget_other_bytecode(module)


@pytest.mark.parametrize("size", [0, 10, 16])
def test_bytecode_that_is_cut_off_is_left_alone(module: Path, size: int) -> None:
    cached = Path(importlib.util.cache_from_source(str(module)))
    cached.write_bytes(cached.read_bytes()[:size])
    os.utime(cached, (0, 0))
    assert not forget_other_bytecode(module)
