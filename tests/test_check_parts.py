"""`make check-parts`, in a copy of the project with parts of its own: what it prints first, and what it does without parts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.models.test_contracts import EXAMPLE_OF_PAGE
from vaeline.study import parts

LINKED = (
    "Makefile",
    "pyproject.toml",
    "docs",
    "params.yaml",
    "pipeline_steps",
    "studies",
    "tests",
    "vaeline",
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in LINKED:
        (tmp_path / name).symlink_to(parts.ROOT / name)
    for file in (
        "requirements.lock",
        "parts/__init__.py",
        ".extras",
        ".venv/.ready",
    ):  # .ready is newest, so that nothing is installed
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text("\n" if file == ".extras" else "")
    return tmp_path


def write(project: Path, part: str, source: str) -> None:
    path = project / "parts" / part
    path.parent.mkdir()
    path.write_text(source)


def check_parts(project: Path, fails: bool = True) -> list[str]:
    """The lines that `make check-parts` prints."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    of_make = {"MAKEFLAGS": "", "MFLAGS": "", "MAKELEVEL": "0"}  # which `make test` hands on, to print where it is
    environment = (
        os.environ | of_make | {"PATH": path, "PYTHONPATH": str(project), "PYTEST_ADDOPTS": "-p no:cacheprovider"}
    )
    ended = subprocess.run(
        ["make", "check-parts"], check=False, cwd=project, env=environment, timeout=600, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )  # fmt: skip
    assert (ended.returncode != 0) == fails, ended.stdout
    return ended.stdout.splitlines()


@pytest.mark.parametrize(
    ("right", "wrong", "sentence"),
    [
        (
            ".log_prob(z).sum(1)",
            ".log_prob(z)",
            "log_prob of prior student returned shape (2, 3) for 2 images; it must return (2,), as its contract says.",
        ),
        pytest.param(
            "import torch\n",
            "import nosuch\nimport torch\n",
            "parts/priors/student.py cannot be imported (No module named 'nosuch'); correct the import, or install the package.",
            marks=pytest.mark.slow(
                reason="tests/study/test_parts.py imports such a part, and a wrong shape comes first in the same way"
            ),
        ),
    ],
    ids=["shape", "import"],
)
def test_the_fault_of_a_part_is_the_first_sentence(project: Path, right: str, wrong: str, sentence: str) -> None:
    write(project, "priors/student.py", EXAMPLE_OF_PAGE.replace(right, wrong, 1))
    said = check_parts(project)
    assert said[0] == "checking: parts/priors/student.py"
    assert sentence in said[:8] and len(said) < 15, said


def test_a_project_without_parts_is_told_so(project: Path) -> None:
    said = check_parts(project)
    assert "ERROR: there are no parts in parts/<family>; docs/own_parts.md says how to write one" in said[0]
    assert not any("INTERNALERROR" in line for line in said)


@pytest.mark.slow(reason="runs the contract tests of a prior; tests/models runs them on every prior")
def test_a_part_that_passes_is_named_with_why_tests_were_skipped(project: Path) -> None:
    write(project, "priors/student.py", EXAMPLE_OF_PAGE)
    said = check_parts(project, fails=False)
    assert said[0] == "checking: parts/priors/student.py"
    assert any(line.startswith("SKIPPED") and line.endswith("student has no closed form") for line in said), said
    assert "passed" in said[-1]
