"""Checkpoints are complete or absent, verified, and kept in one folder for each set of inputs."""

from pathlib import Path

import pytest
import torch

from vaeline.system.errors import UserError
from vaeline.training.checkpoints import Checkpoints, clean


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_written_file_reads_back_equal() -> None:
    checkpoints = Checkpoints("a", {})
    checkpoints.write(1, {"weights": torch.arange(3.0), "rows": [{"epoch": 1}]}, finished=False)
    state = checkpoints.latest(5)
    assert state is not None and torch.equal(state["weights"], torch.arange(3.0)) and state["rows"] == [{"epoch": 1}]


def test_a_new_checkpoint_replaces_all_but_finished_ones() -> None:
    checkpoints = Checkpoints("a", {})
    for epoch, finished in [(1, False), (2, True), (3, False), (4, False)]:
        checkpoints.write(epoch, {"epoch": epoch}, finished)
    assert [path.name for path in sorted(checkpoints.folder.iterdir())] == ["epoch-00002.done", "epoch-00004.last"]
    assert [checkpoints.latest(epochs) for epochs in (1, 2, 3, 9)] == [None, {"epoch": 2}, {"epoch": 2}, {"epoch": 4}]


def test_time_adds_up_over_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("vaeline.training.checkpoints.time.monotonic", lambda: now[0])
    killed = Checkpoints("a", {})
    assert killed.latest(9) is None
    now[0] += 5
    killed.write(1, {"epoch": 1}, finished=False)
    now[0] += 1000  # lost with the process, or between the two
    resumed = Checkpoints("a", {})
    assert resumed.latest(9) == {"epoch": 1} and resumed.seconds == 5
    now[0] += 7
    resumed.write(2, {"epoch": 2}, finished=True)
    assert resumed.seconds == 12
    again = Checkpoints("a", {})
    assert again.latest(9) == {"epoch": 2} and again.seconds == 12


def test_other_settings_have_another_folder() -> None:
    assert Checkpoints("a", {"seed": 1}).folder != Checkpoints("a", {"seed": 2}).folder
    assert Checkpoints("a", {"x": 1, "y": 2}).folder == Checkpoints("a", {"y": 2, "x": 1}).folder


@pytest.mark.parametrize(
    "damage", [lambda content: content[:-9], lambda content: content[:99] + b"?" + content[100:], lambda content: b""]
)
def test_a_damaged_checkpoint_is_named(damage) -> None:  # type: ignore[no-untyped-def]
    checkpoints = Checkpoints("a", {})
    checkpoints.write(3, {"weights": torch.zeros(100)}, finished=False)
    [path] = checkpoints.folder.iterdir()
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UserError, match=r"epoch-00003.last is damaged .*; delete it"):
        checkpoints.latest(9)


def test_a_checkpoint_cannot_run_code(tmp_path: Path) -> None:
    checkpoints = Checkpoints("a", {})
    checkpoints.write(1, {"harmless": Path}, finished=False)
    with pytest.raises(Exception, match="(?i)weights.only"):
        checkpoints.latest(9)


def test_an_experiment_of_dvc_shares_the_projects_checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = tmp_path / ".dvc" / "tmp" / "exps" / "tmp123"
    inside.mkdir(parents=True)
    expected = Checkpoints("a", {}).folder
    monkeypatch.chdir(inside)
    assert Checkpoints("a", {}).folder == expected


def test_cleaning_frees_disk_space() -> None:
    checkpoints = Checkpoints("a", {})
    checkpoints.write(1, {"weights": torch.zeros(1000)}, finished=True)
    assert clean() > 4000
    assert checkpoints.latest(9) is None
