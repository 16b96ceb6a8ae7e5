"""Other engines, other users, wrong clocks, folders that DVC cannot use: one sentence, and no file is lost."""

import errno
import fcntl
import json
import os
import re
import shutil
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import zc.lockfile
from dvc.exceptions import DvcException
from dvc.repo import Repo

from pipeline_steps import dvc_locks, running
from tests.workflow.scratch import DVC, SNAKEMAKE, Project, stages_of
from vaeline.system.errors import UserError
from workflow import records

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


@pytest.mark.slow(reason="DVC is refused beside Snakemake on this machine in the same way")
def test_dvc_on_another_machine_is_refused_before_it_removes_a_file(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There the process of the run does not exist. When the run is killed, its entry does not stay."""
    project.edit(widen)
    run = project.start("all", held_step=1)
    before = results(project)
    monkeypatch.chdir(project.folder)
    with pytest.MonkeyPatch.context() as patch, Repo() as repo:
        patch.setattr("dvc.rwlock.psutil.pid_exists", lambda process: process == 1)
        with pytest.raises(DvcException) as refusal:
            repo.reproduce()
    assert re.search(r"a run of Snakemake in this project \(process \d+ on .+\)", str(refusal.value.__cause__))
    assert results(project) == before and project.log() == ["train cvae 0"]
    run.kill()
    project.release()
    project.ran()
    assert "train cvae 0" in project.repro()


@pytest.mark.slow(reason="the same lock is asked beside DVC on this machine")
def test_snakemake_is_refused_beside_a_step_of_dvc_on_another_machine(project: Project) -> None:
    project.edit(widen)
    step = project.folder / running.DVC_STEP
    step.parent.mkdir(parents=True, exist_ok=True)
    with step.open("a") as file:
        assert running.lock(file, shared=True)
        assert "here or on another machine; wait for it to end" in refused(project, *SNAKEMAKE, "all")
    assert project.snakemake()


def test_the_lock_of_a_snakemake_that_was_killed_before_its_run_began_keeps_nobody_out(project: Project) -> None:
    locks = project.folder / ".snakemake/locks"
    locks.mkdir(exist_ok=True)
    (locks / "0.output.lock").write_text("results/digits/report.html\n")
    project.edit(lambda params: params["evaluation"]["likelihood"].update(samples=37))
    assert "report" in project.snakemake()


def test_a_killed_snakemake_does_not_keep_dvc_out(project: Project) -> None:
    project.edit(widen)
    project.start("all", held_step=1).kill()
    project.release()
    project.ran()
    assert project.repro() == CVAE


def test_a_dry_run_removes_the_entry_of_a_run_whose_machine_went_down(project: Project) -> None:
    """It names a process that every machine has, and the keeper that would remove it went down too."""
    entry = {"pid": dvc_locks.EVERYWHERE, "cmd": dvc_locks.ENTERED.format(run="process 7 on another machine")}
    table = project.folder / ".dvc/tmp/rwlock"
    read = {str(project.folder / folder): [entry] for folder in dvc_locks.FOLDERS}
    table.write_text(json.dumps({"read": read, "write": {}}))
    (project.folder / running.RUNNING).touch()
    assert "run `snakemake -n all` first" in entry["cmd"]
    project.run("snakemake", "-n", "all")
    assert not json.loads(table.read_text()).get("read")


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


def test_commands_that_change_or_remove_files_are_refused_beside_snakemake(project: Project) -> None:
    project.edit(widen)
    run = project.start("all", held_step=1)
    checkpoint = project.folder / "checkpoints/digits-cvae-seed-0/epoch-00001.last"
    checkpoint.parent.mkdir(parents=True)
    checkpoint.touch()
    for command in (["use", "digits"], ["clean_checkpoints"]):
        said = project.run(sys.executable, "-m", f"pipeline_steps.{command[0]}", *command[1:], fails=True)
        assert "A run of Snakemake is going on" in said
    before = results(project)
    assert "a run of Snakemake in this project" in project.run("dvc", "commit", "--force", fails=True)
    beside = ("snakemake", "--cores", "1", "all")
    who = (project.folder / running.RUNNING).read_text(encoding="utf-8")
    refused = f"Another run of Snakemake is going on in this folder ({who}); wait for it to end"
    said = project.run(*beside, fails=True)
    assert refused in said and who.startswith("process ") and "--unlock" not in said
    for path in (project.folder / ".snakemake/locks").glob("*.lock"):  # as `snakemake --unlock` does
        path.unlink()
    assert refused in project.run(*beside, fails=True)
    assert checkpoint.exists() and results(project) == before
    project.release()
    assert run.wait() == 0
    assert project.settled()


def test_files_that_dvc_restores_beside_snakemake_are_not_certified(project: Project) -> None:
    project.edit(widen)
    run = project.start("all", held_step=2)
    project.run("dvc", "checkout", "--force")  # brings the model of before back
    project.release()
    assert run.wait() == 0
    project.ran()
    assert project.status("train@digits-cvae-0")
    assert project.snakemake() == CVAE
    assert project.settled()


def test_a_fault_of_the_bridge_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="bridge failed unexpectedly .*; please report it; the traceback is in"):
        records._end_with_sentence(lambda: print(1 / 0))


def test_a_full_disk_is_named_by_the_bridge() -> None:
    """DVC keeps its states in SQLite."""

    def full() -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with pytest.raises(SystemExit, match="the disk is full; free some space"):
        records._end_with_sentence(full)


def test_a_damaged_table_of_locks_is_made_anew(project: Project) -> None:
    project.edit(widen)
    (project.folder / ".dvc/tmp/rwlock").write_text("{")
    assert project.snakemake() == CVAE
    assert project.settled()


def test_the_file_of_another_user_is_replaced_by_a_copy(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached = tmp_path / "cached"
    cached.write_text("content")
    path, utime = tmp_path / "output", os.utime
    path.symlink_to(cached)
    before = cached.stat()

    def of_owner(path: str, times: Any, **keywords: Any) -> None:
        if Path(path).is_symlink():
            raise PermissionError(1, "Operation not permitted", str(path))
        utime(path, times, **keywords)

    monkeypatch.setattr(os, "utime", of_owner)
    records._set_time(str(path), 1e9)
    assert path.read_text() == "content" and path.stat().st_mtime == 1e9 and not path.is_symlink()
    assert cached.stat().st_mtime_ns == before.st_mtime_ns


def test_links_into_a_cache_of_dvc_are_kept_and_rerun_nothing(project: Project) -> None:
    project.run("dvc", "config", "--local", "cache.type", "symlink")
    project.run("dvc", "checkout", "--relink")
    store = project.folder / "data/digits.h5"
    target = store.stat().st_mtime_ns
    os.utime(store, (time.time(), time.time()), follow_symlinks=False)  # as if it had arrived last
    assert project.settled()
    assert store.is_symlink() and store.stat().st_mtime_ns == target
    os.utime(store.resolve(), (LATER, LATER))
    assert project.settled()
    assert not store.is_symlink() and store.resolve().stat().st_mtime < LATER


def test_our_own_file_with_a_time_in_the_future_is_set_to_now(project: Project) -> None:
    os.utime(project.folder / "data/digits.h5", (LATER, LATER))
    assert project.settled()
    assert max(times(project)) < time.time() + 1
    project.edit(widen)
    assert project.snakemake() == CVAE
    assert project.settled()


@pytest.mark.slow(reason="a file of ours with such a time is found in the same way")
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


@pytest.mark.parametrize("name", ["data", "data/raw", "results", "results/digits", "results/digits/runs/cvae"])
def test_a_folder_behind_a_link_is_refused_before_any_job(empty_project: Project, tmp_path: Path, name: str) -> None:
    (tmp_path / "disk").mkdir()
    (empty_project.folder / name).parent.mkdir(parents=True, exist_ok=True)
    (empty_project.folder / name).symlink_to(tmp_path / "disk")
    assert f"{name} is a link" in refused(empty_project, "snakemake", "--cores", "1", "all")


def test_a_project_behind_a_link_and_links_to_checkpoints_are_no_matter(project: Project, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (project.folder / "checkpoints").symlink_to(tmp_path / "disk")
    (tmp_path / "lïnk with blanks").symlink_to(project.folder)
    linked = Project(tmp_path / "lïnk with blanks", project.launcher)
    assert linked.settled()
    linked.edit(widen)
    assert linked.snakemake() == CVAE
    assert linked.settled() and project.settled()


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


def test_a_file_system_without_locks_is_named_also_if_dvc_meets_it(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without(file: object, operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.chdir(project.folder)
    monkeypatch.setattr(fcntl, "flock", without)
    monkeypatch.setattr(
        zc.lockfile, "_lock_file", lambda file: (_ for _ in ()).throw(zc.lockfile.LockError("no locks"))
    )
    with pytest.raises(
        UserError, match=r"cannot be locked \(No locks available\), because its file system has no locks"
    ):
        dvc_locks.refuse_beside_dvc()
