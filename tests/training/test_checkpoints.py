"""Checkpoints are complete or absent, verified, and kept in one folder for each set of inputs."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from vaeline.system.errors import UserError
from vaeline.system.locks import locked
from vaeline.system.state_files import State, state_folder, write_state
from vaeline.training.checkpoints import Checkpoints, clean, last_epoch


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


def test_the_last_epoch_is_that_of_the_training_that_wrote_last() -> None:
    assert last_epoch("a", 9, state_folder()) == 0
    for name, decides, epoch in (
        ("a", {"code": 1}, 8),
        ("a-density", {}, 9),
        ("a", {"code": 2}, 2),
        ("a", {"code": 2}, 7),
    ):
        folder = Checkpoints(name, decides)
        folder.write(epoch, {}, finished=epoch == 2)
        os.utime(folder.folder, (epoch if epoch > 7 else 10, epoch if epoch > 7 else 10))
    assert [last_epoch("a", epochs, state_folder()) for epochs in (1, 2, 6, 7, 9)] == [0, 2, 2, 7, 7]


def test_the_next_file_is_due_when_the_last_costs_a_small_share_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("vaeline.training.checkpoints.time.monotonic", lambda: now[0])
    monkeypatch.setattr("vaeline.training.checkpoints.SHARE", 0.02)
    checkpoints, written = Checkpoints("a", {}), write_state

    def slow(path: Path, state: State) -> None:
        now[0] += 0.2
        written(path, state)

    monkeypatch.setattr("vaeline.training.checkpoints.write_state", slow)
    assert checkpoints.due()
    checkpoints.write(1, {"epoch": 1}, finished=False)
    due = []
    for now[0] in (104.0, 109.9, 110.1):
        due.append(checkpoints.due())
    assert due == [False, False, True]


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


def moved(source: Checkpoints, target: Checkpoints, name: str = "") -> Path:
    """The newest checkpoint of one training, in the folder of another."""
    [path] = source.folder.glob("epoch-*")
    target.folder.mkdir(exist_ok=True)
    return path.replace(target.folder / (name or path.name))


@pytest.mark.parametrize(
    ("name", "seed", "sentence"),
    [
        ("cvae-seed-1", 1, r"is of the training cvae-seed-0, not of cvae-seed-1; delete it"),
        ("cvae-seed-0", 1, r"is of cvae-seed-0 with other seed; delete it"),
        ("flow-seed-0", 0, r"is of the training cvae-seed-0, not of flow-seed-0; delete it"),
    ],
)
def test_a_checkpoint_of_another_training_is_refused(name: str, seed: int, sentence: str) -> None:
    source = Checkpoints("cvae-seed-0", {"seed": 0, "range": (-1, 1)})
    target = Checkpoints(name, {"seed": seed, "range": (-1, 1)})
    source.write(3, {"epoch": 3}, finished=False)
    path = moved(source, target)
    with pytest.raises(UserError, match=f"{path} {sentence}"):
        target.latest(9)


def test_a_checkpoint_under_the_name_of_another_epoch_is_refused() -> None:
    checkpoints = Checkpoints("a", {})
    checkpoints.write(3, {"epoch": 3}, finished=False)
    moved(checkpoints, checkpoints, "epoch-00004.done")
    assert checkpoints.latest(3) is None
    with pytest.raises(UserError, match=r"epoch-00004.done is of epoch 3, not of epoch 4; delete it"):
        checkpoints.latest(9)


@pytest.mark.parametrize("state", [{"epoch": 3, "seconds": 2.0}, {"of": "a"}, {"of": {"name": "a"}}])
def test_a_checkpoint_of_an_older_version_is_refused(state: State) -> None:
    checkpoints = Checkpoints("a", {})
    write_state(checkpoints.folder / "epoch-00003.last", state)
    with pytest.raises(UserError, match=r"epoch-00003.last does not say what it is of.*; delete it"):
        checkpoints.latest(9)


@pytest.mark.parametrize(
    "name", ["epoch-xx.done", "epoch-00009.done.bak", "epoch-00009.done~", "epoch-.last", "epoch-00009", "notes.txt"]
)
def test_stray_files_are_ignored(name: str) -> None:
    checkpoints = Checkpoints("a", {})
    checkpoints.write(3, {"epoch": 3}, finished=False)
    (checkpoints.folder / name).write_text("stray")
    (checkpoints.folder / "epoch-00008.done").mkdir()
    assert checkpoints.latest(9) == {"epoch": 3}
    checkpoints.write(4, {"epoch": 4}, finished=False)
    assert checkpoints.latest(9) == {"epoch": 4}


def test_epochs_are_ordered_as_numbers() -> None:
    checkpoints = Checkpoints("a", {})
    for epoch in (99_999, 100_000):
        checkpoints.write(epoch, {"epoch": epoch}, finished=True)
    assert checkpoints.latest(200_000) == {"epoch": 100_000}


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
    with pytest.raises(UserError, match="(?i)is no state of vaeline .*weights.only.*; delete it"):
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


def test_cleaning_frees_the_disk_behind_a_link(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    state_folder().symlink_to(tmp_path / "disk")
    test_cleaning_frees_disk_space()
    assert not list((tmp_path / "disk").iterdir())


@pytest.mark.parametrize("name", ["cvae-seed-1", "cvae-seed-1-density", "flow-seed-0", "alone-seed-0"])
def test_cleaning_deletes_nothing_beside_a_training_that_is_going_on(name: str) -> None:
    going_on, other = Checkpoints("cvae-seed-1", {"seed": 1}), Checkpoints(name, {"seed": 1, "epochs": 2})
    for checkpoints in (going_on, other):
        checkpoints.write(1, {"weights": torch.zeros(1000)}, finished=True)
    with locked(going_on.folder, "training"), pytest.raises(UserError, match="Another process is training in"):
        clean()
    assert going_on.latest(9) and other.latest(9)


@pytest.mark.parametrize(
    "name",
    [f"study-cvae-seed-1-{end}" for end in ("evaluation", "ffffffffffffffff-evaluation", "density-0123456789abcdef")],
)
def test_cleaning_holds_the_lock_of_a_run_while_it_deletes_what_belongs_to_it(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    training, beside = Checkpoints("study-cvae-seed-1", {}).folder, state_folder(name)
    for folder in (training, beside):
        folder.mkdir(parents=True)
        (folder / "result.kept").write_text("kept")

    @contextmanager
    def watched(folder: Path, doing: str) -> Iterator[None]:
        with locked(folder, doing):
            yield
            if folder == training:
                deleted.append((beside / "result.kept").exists())
            assert (folder / ".lock").exists(), "a lock that is held open leaves a file of NFS behind"

    deleted: list[bool] = []
    monkeypatch.setattr("vaeline.training.checkpoints.locked", watched)
    clean()
    assert deleted == [True, False] and not list(state_folder().iterdir())
