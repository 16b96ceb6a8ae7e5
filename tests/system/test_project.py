"""The root of the project, also inside an experiment of DVC."""

from pathlib import Path

import pytest

from vaeline.system.project import main_worktree


def test_the_root_is_the_current_folder_outside_an_experiment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main_worktree() == tmp_path.resolve()


def test_the_root_is_found_from_inside_an_experiment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = tmp_path / ".dvc/tmp/exps/abc/data"
    inside.mkdir(parents=True)
    monkeypatch.chdir(inside)
    assert main_worktree() == tmp_path.resolve()
