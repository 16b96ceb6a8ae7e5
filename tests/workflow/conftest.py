"""Scratch projects in which the engines run."""

import shutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests.workflow.launcher import ENGINES, Launcher
from tests.workflow.scratch import Project
from vaeline.study import ready_studies

ROOT = Path(__file__).parents[2]
COPIED = [
    "Snakefile",
    "dvc.yaml",
    "download",
    ".gitignore",
    ".dvcignore",
    "workflow",
    "profiles",
    "vaeline",
    "pipeline_steps",
    "parts/__init__.py",
]
STUBBED = [
    "download",
    "preprocess",
    "classifier",
    "reference",
    "design",
    "trial",
    "choose",
    "train",
    "sample",
    "evaluate",
    "report",
]
STUB = 'from pipeline_steps.stub import main\n\nif __name__ == "__main__":\n    main("{step}", "{code}")\n'
# The files of stubs say nothing about themselves.
STUB_OF_CLAIMS = 'def says_other(rule, wildcards, study):\n    return ""\n'


@pytest.fixture(scope="session")
def launcher() -> Iterator[Launcher]:
    launcher = Launcher((*ENGINES, "torch"))  # of the libraries of steps, stubs import torch alone
    yield launcher
    launcher.stop()


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The files of this project, with the real steps, in a repository of their own; tests change copies only."""
    project = Project(tmp_path_factory.mktemp("workflow") / "sources")
    for name in COPIED:
        source, target = ROOT / name, project.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy)(source, target)
    shutil.copytree(
        ROOT / ".dvc", project.folder / ".dvc", ignore=shutil.ignore_patterns("tmp", "cache", "config.local")
    )
    # Whatever study is active here.
    (project.folder / "params.yaml").write_text(ready_studies.as_yaml(ready_studies.resolve("digits")))
    project.run("git", "init", "--quiet")
    return project


@pytest.fixture(scope="session")
def fresh(sources: Project, launcher: Launcher) -> Project:
    """A committed project with stubs for its steps, which has run nothing; tests change copies only."""
    project = sources.copy(sources.folder.with_name("fresh"))
    project.launcher = launcher
    shutil.copy(Path(__file__).with_name("stub_step.py"), project.folder / "pipeline_steps/stub.py")
    for step in STUBBED:
        real = import_module(f"pipeline_steps.{step}").main.callback
        stub = STUB.format(step=step, code=real.code)
        (project.folder / f"pipeline_steps/{step}.py").write_text(stub)
    (project.folder / "workflow/file_claims.py").write_text(STUB_OF_CLAIMS)
    with (project.folder / ".gitignore").open("a") as file:
        file.write("ran.log\nhold\n.cache/\n")
    project.edit(shorten)
    project.commit()
    return project


def shorten(params: dict[str, Any]) -> None:
    """Leave two variants and one seed, and any number of epochs valid."""
    params["study"].update(name="digits", variants=["gaussian_cvae", "cvae"], seeds=[0])
    params["variants"] = {name: params["variants"][name] for name in params["study"]["variants"]}
    params["training"].update(validate_every=1)


@pytest.fixture(scope="session")
def finished(fresh: Project) -> Project:
    """A committed project that Snakemake has run to the end; tests change copies only."""
    project = fresh.copy(fresh.folder.with_name("finished"))
    project.snakemake()
    project.commit()
    return project


@pytest.fixture
def project(finished: Project, tmp_path: Path) -> Project:
    """A copy of a project that has run to the end."""
    return finished.copy(tmp_path / "project")


@pytest.fixture
def empty_project(fresh: Project, tmp_path: Path) -> Project:
    """A copy of a project that has run nothing."""
    return fresh.copy(tmp_path / "project")
