"""The wheel has what the library needs, and works outside the repository, without Snakemake, DVC and the explorer's server."""

import os
import re
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path

import pytest
from click.testing import Result

from pipeline_steps import classifier, evaluate, reference, sample, train
from vaeline.study import ready_studies
from vaeline.study.schema import Study
from vaeline.system import extras

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def tracked(*folders: str) -> list[str]:
    listed = subprocess.run(["git", "ls-files", *folders], cwd=ROOT, capture_output=True, text=True, check=True)
    return listed.stdout.split()


def test_every_file_of_the_packages_is_declared() -> None:
    """Python finds the modules; other files are named in pyproject.toml."""
    declared = PYPROJECT["tool"]["setuptools"]["package-data"]
    patterns = [f"vaeline/{pattern}" for pattern in declared["vaeline"]]
    others = [name for name in tracked("vaeline", "pipeline_steps") if not name.endswith(".py")]
    assert [name for name in others if not any(fnmatch(name, pattern) for pattern in patterns)] == []
    assert declared["vaeline.studies"] == ["*.yaml"] and all(name.endswith(".yaml") for name in tracked("studies"))


def test_the_library_alone_asks_for_no_engine_and_no_server() -> None:
    project = PYPROJECT["project"]
    base, by_extra = ({*map(library, project["dependencies"])}, project["optional-dependencies"])
    assert set(by_extra) == {"pipeline", "explorer", "slurm", "s3", "ssh", "hub", "datasets", "export"}
    assert not base & {library(each) for of_extra in by_extra.values() for each in of_extra}
    assert set(extras.BRINGS.values()) <= set(by_extra)
    assert project["scripts"] == {"vaeline": "pipeline_steps.__main__:main"}


def library(requirement: str) -> str:
    return re.split(r"[<>=\[ ]", requirement)[0]


def test_studies_are_found_where_the_wheel_has_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert ready_studies.names() == []
    monkeypatch.setattr(ready_studies, "INSTALLED", ROOT / "studies")
    assert "digits" in ready_studies.names() and ready_studies.resolve("digits").study.name == "digits"


# In the fresh environment, these are as if they were not installed.
HIDE = """
import sys
from importlib.machinery import PathFinder
class Without(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in {hidden!r} else super().find_spec(name, path, target)
sys.meta_path[sys.meta_path.index(PathFinder)] = Without
"""
USE = """
import vaeline
from vaeline.study import ready_studies
run = vaeline.load("seed-0")
images = run.sample(4, side="left")
labels = run.labels(4, side="left")
z = run.encode(images, labels)
assert run.decode(z, labels).shape == images.shape and run.log_prob(images, labels, samples=10).shape == (4,)
assert {row["metric"] for row in vaeline.metrics_of("seed-0")} > {"nll", "rate"}
assert "site-packages" in vaeline.__file__ and vaeline.__version__ and "digits" in ready_studies.names()
"""


@pytest.mark.slow(reason="builds the wheel and makes an environment, in half a minute")
def test_the_wheel_works_outside_the_repository_on_a_run_that_dvc_fetched(
    project: Study, run: Callable[..., Result], tmp_path: Path
) -> None:
    make_repository(run)
    outside = tmp_path.with_name(f"{tmp_path.name}-outside")
    outside.mkdir()
    python = install(outside)

    def vaeline(*words: str) -> subprocess.CompletedProcess[str]:
        command = [str(python.with_name("vaeline")), *words]
        return subprocess.run(command, cwd=outside, env=without_path(), capture_output=True, text=True, check=False)

    fetch = [sys.executable, "-m", "dvc", "get", str(tmp_path), "results/tiny/runs/plain/seed-0"]
    subprocess.run(fetch, cwd=outside, check=True, capture_output=True)
    used = subprocess.run(
        [python, "-c", USE], cwd=outside, env=without_path(), capture_output=True, text=True, check=False
    )
    assert used.returncode == 0, used.stderr
    drawn = vaeline("draw", "seed-0", "--set", "side=left", "--count", "4")
    assert drawn.returncode == 0 and (outside / "drawn.png").exists(), drawn.stderr
    assert "plain seed 0 of the study tiny" in vaeline("table", "seed-0").stdout
    assert (
        "side would be taken from test images, and there is no data/blocks.h5; set" in vaeline("draw", "seed-0").stderr
    )
    assert vaeline("draw", "seed-0", "--store", str(tmp_path / "data/blocks.h5")).returncode == 0
    assert "needs nicegui, which is not installed" in vaeline("explore", "seed-0").stderr
    assert "works in a project, which is a clone" in vaeline("run").stderr


def make_repository(run: Callable[..., Result]) -> None:
    """Train and measure a run of the project in the current folder, and give it to DVC."""
    for step in (classifier, reference, train, sample, evaluate):
        of_run = ("--variant", "plain", "--seed", "0") if step in (train, sample, evaluate) else ()
        done = run(step.main, *of_run)
        assert done.exit_code == 0, done.output
    for words in (
        "git init -q",
        f"{sys.executable} -m dvc init -q",
        f"{sys.executable} -m dvc add -q results/tiny/runs/plain/seed-0",
    ):
        subprocess.run(words.split(), check=True)
    subprocess.run(["git", "add", "--all"], check=True)
    subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-qm", "first"], check=True)


def install(folder: Path) -> Path:
    """Build the wheel and install it into a fresh environment, which sees the libraries of this one but for those of extras."""
    source = folder / "source"
    subprocess.run(["git", "clone", "-q", "--depth", "1", f"file://{ROOT}", source], check=True)
    for name in tracked(
        "vaeline", "pipeline_steps", "studies", "setup.py", "pyproject.toml"
    ):  # as they are, not as committed
        (source / name).write_bytes((ROOT / name).read_bytes())
    build = "import setuptools.build_meta as backend; backend.build_wheel('..')"
    subprocess.run([sys.executable, "-c", build], cwd=source, check=True, capture_output=True)
    [wheel] = folder.glob("*.whl")
    assert set(tracked("vaeline", "pipeline_steps")) <= set(zipfile.ZipFile(wheel).namelist())
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    [site] = (folder / "venv").glob("lib/*/site-packages")
    python = folder / "venv/bin/python"
    subprocess.run(
        [python, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--disable-pip-version-check", wheel],
        check=True,
    )
    (site / "hidden.py").write_text(HIDE.format(hidden=sorted(extras.BRINGS)))
    (site / "here.pth").write_text(f"{sysconfig.get_path('purelib')}\nimport hidden\n")
    return python


def without_path() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
