"""What git says of a project: in a folder inside of its repository, with a damaged index, and without one."""

import os
import subprocess
from pathlib import Path

import pytest

from vaeline.report import provenance
from vaeline.system.errors import UserError
from vaeline.system.repository import edited, git, last_commit, tracks

IDENTITY = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in a folder of a repository, with a committed module and a committed file beside."""
    folder = tmp_path / "inside"
    (folder / "vaeline").mkdir(parents=True)
    monkeypatch.chdir(folder)
    Path("vaeline/model.py").write_text("1")
    Path("params.yaml").write_text("1")
    for words in (["init", "--quiet", ".."], ["add", "."], [*IDENTITY, "commit", "--quiet", "--message", "a"]):
        subprocess.run(["git", *words], check=True)
    return folder


def test_edits_are_named_from_the_folder_of_the_project(project: Path) -> None:
    assert edited(["vaeline"]) == []
    Path("params.yaml").write_text("2")
    assert edited(["vaeline"]) == []
    Path("vaeline/model.py").write_text("2")
    Path("vaeline/new.py").write_text("")
    assert edited(["vaeline", "missing"]) == ["vaeline/model.py", "vaeline/new.py"]


def test_edits_that_git_cannot_name_are_no_lack_of_edits(project: Path) -> None:
    (project.parent / ".git/index").write_bytes(b"damaged")
    assert len(git("rev-parse", "HEAD")) == 40
    with pytest.raises(UserError, match="git cannot say which files were edited"):
        edited(["vaeline"])


def test_outside_a_repository_git_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert edited(["vaeline"]) == [] and git("rev-parse", "HEAD") == ""
    monkeypatch.setenv("PATH", "")
    assert edited(["vaeline"]) == [] and git("rev-parse", "HEAD") == ""


def test_the_last_commit_of_some_paths(project: Path) -> None:
    first = git("rev-parse", "HEAD")
    Path("params.yaml").write_text("2")
    subprocess.run(["git", *IDENTITY, "commit", "--quiet", "--all", "--message", "b"], check=True)
    assert last_commit(["vaeline", "missing"]) == first != last_commit(["."]) == git("rev-parse", "HEAD")
    assert last_commit(["missing"]) == "" and tracks(["vaeline"]) and not tracks(["missing"])
    subprocess.run(["git", "worktree", "add", "--quiet", "../elsewhere"], check=True)
    os.chdir("../elsewhere/inside")
    assert last_commit(["vaeline"]) == first and provenance.environment()["commit"] == git("rev-parse", "HEAD")[:12]


def test_a_repository_without_a_commit_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("vaeline").write_text("1")
    for words in (["init", "--quiet"], ["add", "."]):
        subprocess.run(["git", *words], check=True)
    assert tracks(["vaeline"]) and last_commit(["vaeline"]) == "" and "commit" not in provenance.environment()


def test_code_that_the_repository_ignores_has_no_commit(project: Path) -> None:
    """Its parameters have one."""
    subprocess.run(["git", "rm", "--quiet", "--cached", "-r", "vaeline"], check=True)
    Path(".gitignore").write_text("vaeline\n")
    subprocess.run(["git", *IDENTITY, "commit", "--quiet", "--message", "b"], check=True)
    assert not tracks(["vaeline"]) and tracks(["params.yaml"]) and "commit" not in provenance.environment()


def test_a_repository_that_git_refuses_to_read_is_no_lack_of_one(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    for ask in (tracks, last_commit):
        with pytest.raises(UserError, match="git cannot read the repository .*dubious ownership"):
            ask(["vaeline"])
    with pytest.raises(UserError, match="git cannot say which files were edited"):
        edited(["vaeline"])
