"""The processes that share a training: they start, add their numbers, and end together, however one of them ends."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from torch import distributed, nn

from tests.training.tiny import FACTS, VARIANT, split
from vaeline.data import store
from vaeline.data.on_disk import OnDisk
from vaeline.study.recipe import Recipe
from vaeline.study.schema import Training, Variant
from vaeline.system import ranks
from vaeline.system.errors import UserError
from vaeline.training.batch_norm import share_batch_norms
from vaeline.training.job import prepare
from vaeline.training.processes import Other, _cause, _end, _watch, processes
from vaeline.training.stages import pretrain_and_train, stages_of

CPU = torch.device("cpu")
Meet = Callable[[], None]


def added() -> float:
    number = torch.ones(1)
    distributed.all_reduce(number)
    return float(number)


def agreed() -> str:
    """Whether the ranks agree on numbers that all have, and on numbers of which one is other on each rank."""
    same, other = torch.ones(3), torch.tensor([float(ranks.number())])
    return f"{ranks.agree([same])} {ranks.agree([same, other])}"


def add(meet: Meet, number: int, threads: int, folder: Path) -> None:
    meet()
    (folder / f"{number}").write_text(f"{added():g} {agreed()} {threads}")


def die(meet: Meet, number: int, threads: int) -> None:
    meet()
    os.kill(os.getpid(), signal.SIGKILL)


def fail(meet: Meet, number: int, threads: int) -> None:
    raise UserError("x.h5 is damaged; remove it, and run again.")


def work_alone(meet: Meet, number: int, threads: int) -> None:
    """Torch would notice the death of the first process only when numbers are added."""
    meet()
    print(os.getpid(), flush=True)
    time.sleep(30)
    print("it worked on", flush=True)


def test_processes_add_and_compare_their_numbers_and_divide_the_threads(tmp_path: Path) -> None:
    torch.set_num_threads(2)
    with processes(2, add, tmp_path):
        assert added() == 2 == ranks.count() and ranks.number() == 0 and torch.get_num_threads() == 1
        assert agreed() == "True False"
    assert (tmp_path / "1").read_text() == "2 True False 1"
    assert ranks.count() == 1 and torch.get_num_threads() == 2
    torch.set_num_threads(1)


def test_batch_normalisation_of_two_processes_is_that_of_one() -> None:
    alone = normalised()
    with processes(2, normalise):
        together = normalised()
    for one, other in zip(alone, together, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-12)


def test_a_process_that_is_killed_ends_the_training_with_a_sentence() -> None:
    with (
        pytest.raises(UserError, match="Process 2 of 2 of the training was ended by SIGKILL; run again, and"),
        processes(2, die),
    ):
        while True:
            added()


def test_a_process_that_cannot_prepare_says_why() -> None:
    with (
        pytest.raises(UserError, match=r"Process 2 of 2 of the training failed: x\.h5 is damaged; remove it"),
        processes(2, fail),
    ):
        pytest.fail("the training began")


class Ended:
    """What is looked at of a process that has ended, or that does not end by itself."""

    def __init__(self, exitcode: int | None) -> None:
        self.exitcode = exitcode
        self.sentinel, writer = os.pipe()
        os.close(writer)

    def join(self, timeout: float | None = None) -> None:
        pass

    def is_alive(self) -> bool:
        return self.exitcode is None

    def kill(self) -> None:
        self.exitcode = -signal.SIGKILL


def others(*exitcodes: int | None) -> list[Other]:
    """Processes that have said nothing."""
    words = [multiprocessing.Pipe(duplex=False) for _ in exitcodes]
    for _, theirs in words:
        theirs.close()
    found = zip(exitcodes, words, strict=True)
    return [
        Other(f"Process {number}", cast(Any, Ended(code)), ours) for number, (code, (ours, _)) in enumerate(found, 2)
    ]


def test_a_process_that_a_signal_has_ended_is_named_before_those_that_missed_it() -> None:
    with pytest.raises(UserError, match="Process 3 was ended by SIGTERM"):
        raise _cause(others(1, -signal.SIGTERM, 1)) or AssertionError


def test_a_process_is_named_although_the_system_says_late_how_it_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    codes = iter([None, None, -signal.SIGKILL])
    monkeypatch.setattr(
        Ended, "exitcode", property(lambda _: next(codes, -signal.SIGKILL), lambda *_: None), raising=False
    )
    with pytest.raises(UserError, match="Process 2 was ended by SIGKILL"):
        raise _cause(others(None)) or AssertionError


def test_a_death_that_torch_does_not_notice_ends_the_training(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ended, codes = threading.Event(), list[int]()
    monkeypatch.setattr("vaeline.training.processes.FORCED", 0.0)
    monkeypatch.setattr(os, "_exit", lambda code: (codes.append(code), ended.set()))
    _watch(others(-signal.SIGKILL), ended)
    assert codes == [1] and "Error: Process 2 was ended by SIGKILL; run again" in capsys.readouterr().err


def test_a_process_that_does_not_end_is_killed() -> None:
    [other] = others(None)
    _end([other])
    assert other.process.exitcode == -signal.SIGKILL and other.words.closed


def normalise(meet: Meet, number: int, threads: int) -> None:
    meet()
    normalised()


def normalised() -> list[torch.Tensor]:
    """Gradients of layers with batch normalisation, and their running moments, in 64 bits."""
    torch.manual_seed(0)
    layers = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.LeakyReLU(), nn.Flatten(), nn.Linear(144, 5), nn.BatchNorm1d(5, momentum=None)
    ).double()  # fmt: skip
    if ranks.count() > 1:
        share_batch_norms(layers)
    x = torch.randn(7, 3, 8, 8, dtype=torch.float64)
    for _ in range(2):
        layers.zero_grad()
        with ranks.dealt(len(x)) as rows:
            ranks.share_of_mean(layers(x[rows]).cos().sum(1)).backward()
            ranks.sum_gradients(layers.parameters())
    return [each.grad for each in layers.parameters() if each.grad is not None] + list(layers.state_dict().values())


ORPHAN = """
from tests.training.test_processes import added, work_alone
from vaeline.training.processes import processes

if __name__ == "__main__":
    with processes(2, work_alone):
        while True:
            added()
"""


def test_a_killed_training_leaves_no_process_behind(tmp_path: Path) -> None:
    (tmp_path / "orphan.py").write_text(ORPHAN)
    surroundings = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    first = subprocess.Popen([sys.executable, "orphan.py"], stdout=subprocess.PIPE, text=True, env=surroundings)
    assert first.stdout is not None
    assert int(first.stdout.readline())
    first.kill()
    first.wait()
    assert first.stdout.read() == ""  # ends when no process has the pipe open


def recipe(processes: int) -> Recipe:
    content = {"epochs": 2, "learning_rate": 0.01, "batch_size": 16, "eps": 1.0, "threads": 2, "processes": processes}
    return Recipe(Variant.model_validate(VARIANT), Training.model_validate(content))


def test_processes_share_the_memory_for_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = store.write(tmp_path / "tiny.h5", FACTS, {name: split(count) for name, count in FACTS.counts.items()})
    monkeypatch.setattr("vaeline.training.job.budget", lambda: split(FACTS.counts["train"]).images.nbytes)
    on_disk = [
        isinstance(prepare(recipe(count), facts, tmp_path / "tiny.h5", 0, CPU).train.images, OnDisk) for count in (1, 2)
    ]
    assert on_disk == [False, True]


@pytest.mark.slow(reason="tests/training/test_ranks.py holds two processes against one for every part")
def test_a_training_by_two_processes_writes_the_files_of_one(tmp_path: Path) -> None:
    """The other process prepares the same job, reads the checkpoints of the first one, and writes none."""
    facts = store.write(tmp_path / "tiny.h5", FACTS, {name: split(count) for name, count in FACTS.counts.items()})
    found = []
    for count in (1, 2, 2):
        torch.set_num_threads(2)
        job = prepare(recipe(count), facts, tmp_path / "tiny.h5", 0, CPU)
        _, rows = pretrain_and_train(job, stages_of("tiny", recipe(count), facts, "code", 0, CPU), lambda row: None)
        found.append((rows, job.model.state_dict()))
    torch.set_num_threads(1)
    (rows, alone), (_, together), (rows_again, again) = found
    assert (
        len(list((tmp_path / "checkpoints").iterdir())) == 2
    )  # the number of processes is part of what decides the bytes
    for name, weight in alone.items():
        torch.testing.assert_close(weight, together[name], rtol=1e-4, atol=1e-6)
        assert torch.equal(together[name], again[name])
    assert [row["objective"] for row in rows] == pytest.approx([row["objective"] for row in rows_again], rel=1e-5)
