"""The root of the project, also inside an experiment of DVC."""

from pathlib import Path

import pytest

from vaeline.system.errors import UserError
from vaeline.system.project import expanded, main_worktree


def test_the_root_is_the_current_folder_outside_an_experiment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main_worktree() == tmp_path.resolve()


def test_the_root_is_found_from_inside_an_experiment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = tmp_path / ".dvc/tmp/exps/abc/data"
    inside.mkdir(parents=True)
    monkeypatch.chdir(inside)
    assert main_worktree() == tmp_path.resolve()


def test_a_home_folder_of_nobody_is_a_sentence() -> None:
    assert expanded("~/x") == Path.home() / "x" and expanded("a/~b") == Path("a/~b")
    with pytest.raises(UserError, match="'~nouser/x' begins with ~ and a name that no user has; write the whole path"):
        expanded("~nouser/x")
