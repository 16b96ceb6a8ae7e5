"""Other engines, other users, wrong clocks, folders that DVC cannot use: one sentence, and no file is lost."""

import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.workflow.scratch import DVC, Project, stages_of
from workflow import bridge

CVAE = sorted([*stages_of("cvae"), "report"])
LATER = time.time() + 10**6


def widen(params: dict[str, Any]) -> None:
    params["variants"]["cvae"]["latent"] += 1


def results(project: Project) -> set[Path]:
    return {path for path in (project.folder / "results").rglob("*") if path.is_file()}


def times(project: Project) -> list[float]:
    return [path.stat().st_mtime for folder in ("data", "results") for path in (project.folder / folder).rglob("*")]


def refused(project: Project, *command: str) -> str:
    """What a command says that fails with a sentence before any step begins."""
    said = project.run(*command, fails=True)
    assert "Traceback" not in said and not project.log()
    return said


def test_dvc_is_refused_beside_snakemake_before_it_removes_a_file(project: Project) -> None:
    project.edit(widen)
    run = project.start("all", held_step=1)
    before = results(project)
    said = project.run(*DVC, fails=True)
    assert "is busy" in said and "a run of Snakemake in this project" in said
    assert results(project) == before
    project.run("dvc", "status")  # readers go on
    project.release()
    assert run.wait() == 0
    assert project.settled()
    project.ran()
    assert project.repro() == []


def test_a_killed_snakemake_does_not_keep_dvc_out(project: Project) -> None:
    project.edit(widen)
    project.start("all", held_step=1).kill()
    project.release()
    project.ran()
    assert project.repro() == CVAE


def test_snakemake_and_use_are_refused_beside_dvc(project: Project) -> None:
    project.edit(widen)
    run = project.start(held_step=1, command=DVC)
    params = (project.folder / "params.yaml").read_bytes()
    assert "DVC is running in this project" in project.run("snakemake", "--cores", "1", "all", fails=True)
    assert "DVC is running in this project" in project.run(
        sys.executable, "-m", "pipeline_steps.use", "digits", fails=True
    )
    assert (project.folder / "params.yaml").read_bytes() == params
    project.release()
    assert run.wait() == 0
    assert project.settled()


def test_use_is_refused_beside_snakemake(project: Project) -> None:
    project.edit(widen)
    run = project.start("all", held_step=1)
    said = project.run(sys.executable, "-m", "pipeline_steps.use", "digits", fails=True)
    assert "A run of Snakemake is going on" in said
    project.release()
    assert run.wait() == 0


def test_the_file_of_another_user_is_replaced_by_a_copy(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached = tmp_path / "cached"
    cached.write_text("content")
    path, utime = tmp_path / "output", os.utime
    path.symlink_to(cached)
    before = cached.stat()

    def of_owner(path: str, times: Any) -> None:
        if Path(path).is_symlink():
            raise PermissionError(1, "Operation not permitted", str(path))
        utime(path, times)

    monkeypatch.setattr(os, "utime", of_owner)
    bridge._set_time(str(path), 1e9)
    assert path.read_text() == "content" and path.stat().st_mtime == 1e9 and not path.is_symlink()
    assert cached.stat().st_mtime_ns == before.st_mtime_ns


def test_our_own_file_with_a_time_in_the_future_is_set_to_now(project: Project) -> None:
    os.utime(project.folder / "data/digits.h5", (LATER, LATER))
    assert project.settled()
    assert max(times(project)) < time.time() + 1
    project.edit(widen)
    assert project.snakemake() == CVAE
    assert project.settled()


def test_a_file_of_the_user_with_a_time_in_the_future_is_named(project: Project) -> None:
    project.edit(widen)
    for name in ("params.yaml", "vaeline/models/model.py"):
        os.utime(project.folder / name, (LATER, LATER))
        assert f"run `touch {name}`" in refused(project, "snakemake", "--cores", "1", "all")
        (project.folder / name).touch()
    assert project.snakemake() == CVAE
    assert project.settled()


def test_a_folder_without_git_is_refused_before_any_job(empty_project: Project) -> None:
    shutil.rmtree(empty_project.folder / ".git")
    assert "run `git init`" in refused(empty_project, "snakemake", "--cores", "1", "all")
    empty_project.run("git", "init", "--quiet")
    empty_project.commit()
    empty_project.snakemake()
    assert empty_project.settled()


@pytest.mark.parametrize("name", ["data", "results"])
def test_a_folder_behind_a_link_is_refused_before_any_job(empty_project: Project, tmp_path: Path, name: str) -> None:
    (tmp_path / "disk").mkdir()
    (empty_project.folder / name).symlink_to(tmp_path / "disk")
    assert f"{name} is a link" in refused(empty_project, "snakemake", "--cores", "1", "all")


def test_a_bridge_that_fails_at_the_end_is_an_exit_code(project: Project) -> None:
    project.edit(widen)
    run = project.start("all", held_step=1)
    lock = project.folder / "dvc.lock"
    content = lock.read_text()
    lock.write_text("<<<<<<< ours\n")
    project.release()
    assert run.wait() != 0
    said = project.run("snakemake", "-n", "all", fails=True)
    assert "dvc.lock" in said and "Traceback" not in said and "above" not in said
    lock.write_text(content)
    assert project.snakemake() in ([], CVAE)
    assert project.settled()
