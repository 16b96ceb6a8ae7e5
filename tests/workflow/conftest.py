"""Scratch projects to run the engines in."""

import shutil
from pathlib import Path

import pytest

from tests.workflow.scratch import Project

ROOT = Path(__file__).parents[2]
COPIED = [
    "Snakefile",
    "dvc.yaml",
    "params.yaml",
    ".gitignore",
    ".dvcignore",
    "workflow",
    "profiles",
    "vaeline",
    "pipeline_steps",
]
STUBBED = ["download", "preprocess", "classifier", "reference", "train", "sample", "evaluate", "report"]
STUB = 'from pipeline_steps.stub import main\n\nif __name__ == "__main__":\n    main("{step}")\n'


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The files of this project in a repository of their own, steps and all; not to be changed."""
    project = Project(tmp_path_factory.mktemp("workflow") / "sources")
    for name in COPIED:
        source, target = ROOT / name, project.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy)(source, target)
    shutil.copytree(
        ROOT / ".dvc", project.folder / ".dvc", ignore=shutil.ignore_patterns("tmp", "cache", "config.local")
    )
    project.run("git", "init", "--quiet")
    return project


@pytest.fixture(scope="session")
def fresh(sources: Project) -> Project:
    """A committed project, with stubs for its steps, that has run nothing; not to be changed."""
    project = sources.copy(sources.folder.with_name("fresh"))
    shutil.copy(Path(__file__).with_name("stub_step.py"), project.folder / "pipeline_steps/stub.py")
    for step in STUBBED:
        (project.folder / f"pipeline_steps/{step}.py").write_text(STUB.format(step=step))
    with (project.folder / ".gitignore").open("a") as file:
        file.write("ran.log\n.cache/\n")
    project.edit(lambda params: params["study"].update(name="digits", variants=["gaussian_cvae", "cvae"], seeds=[0]))
    project.edit(lambda params: params["training"].update(validate_every=1))  # so that tests may choose any `epochs`
    project.commit()
    return project


@pytest.fixture(scope="session")
def finished(fresh: Project) -> Project:
    """A committed project that Snakemake has run whole; not to be changed."""
    project = fresh.copy(fresh.folder.with_name("finished"))
    project.snakemake()
    project.commit()
    return project


@pytest.fixture
def project(finished: Project, tmp_path: Path) -> Project:
    """A project that has run whole, to do with as one likes."""
    return finished.copy(tmp_path / "project")


@pytest.fixture
def empty_project(fresh: Project, tmp_path: Path) -> Project:
    """A project that has run nothing, to do with as one likes."""
    return fresh.copy(tmp_path / "project")
