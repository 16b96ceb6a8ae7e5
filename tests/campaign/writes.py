"""Kills inside a single write, of every kind of file: the name holds the old or the new content whole, and nothing is left over.

A case kills a writer at its n-th call into the operating system or a C library, or at a random moment. Afterwards the
reader reads, the writer writes again, and only files that the engines ignore may have been left over in between.
"""

import io
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any

import numpy as np
import torch

from tests.campaign.engines import IGNORED
from tests.campaign.isolated import attempt
from tests.campaign.kind import Grounds, Judge, Kind
from tests.campaign.outcome import LONGEST, Case, Outcome, Verdict
from tests.campaign.readers import digest
from tests.made_up import OF_RUN
from vaeline.data import store
from vaeline.data.facts import Facts
from vaeline.models.model import Model
from vaeline.runs import model_files, timing
from vaeline.study import ready_studies
from vaeline.system import files, hdf5_files, sealed_files, state_files, tensor_files

FACTS = Facts("mine", (1, 4, 4), 17, (-1.0, 1.0), ["digit"], [["a", "b"]])
# Calls of C that change a file; a kill before and after each of them covers every state that the disk can be in.
CALLS = {
    "write", "fsync", "replace", "rename", "open", "open_code", "chmod", "unlink", "remove", "truncate", "flush", "close", "mkdir", "utime", "posix_fadvise",
    "save", "serialize_file", "serialize", "copyfile", "sendfile", "writelines", "pwrite", "link", "symlink",
}  # fmt: skip


@dataclass(frozen=True)
class Written:
    """A kind of file: how one of two contents is written into a folder, and how it is read."""

    name: str
    write: Callable[[Path, int], None]
    read: Callable[[Path], Any]


def _arrays(which: int) -> dict[str, torch.Tensor]:
    return {"a": torch.full((40, 40), float(which)), "b": torch.arange(100) + which}


def _split(which: int, count: int) -> store.Split:
    images = np.full((count, 1, 4, 4), which, np.uint8)
    return store.Split(images, np.full((count, 1), which, np.int64), [f"{which}-{row}" for row in range(count)])


def _write_hdf5(folder: Path, which: int) -> None:
    with hdf5_files.created(folder / "samples.h5") as file:
        for name in ("samples", "labels", "codes"):
            file[name] = np.full((200, 16), which, np.float32)


def _read_hdf5(folder: Path) -> Any:
    with hdf5_files.opened(folder / "samples.h5", "a file of samples", "make it again") as file:
        return {name: values[...] for name, values in file.items()}


def _write_store(folder: Path, which: int) -> None:
    store.write(folder / "mine.h5", FACTS, {name: _split(which, 50) for name in ("train", "validation", "test")})


def _read_store(folder: Path) -> Any:
    path = folder / "mine.h5"
    return [
        replace(store.read_split(path, name), ids=store.read_ids(path, name))
        for name in ("train", "validation", "test")
    ]


def _write_model(folder: Path, which: int) -> None:
    torch.manual_seed(which)
    variant = ready_studies.resolve("digits").variants["gaussian_cvae"]
    facts = replace(FACTS, image_shape=(1, 8, 8), counts={"train": 50})
    model_files.save(folder, Model(variant, facts), facts, OF_RUN | {"seed": which})


def _read_model(folder: Path) -> Any:
    model, facts = model_files.load(folder)
    return [facts, *(tensor.numpy() for tensor in model.state_dict().values())]


def _read_checkpoint(folder: Path) -> Any:
    paths = sorted(folder.glob("epoch-*"))
    return [
        digest({name: each.numpy() for name, each in state_files.read_state(path)["weights"].items()}) for path in paths
    ]


def _tensors(content: Any) -> Any:
    return {name: tensor.numpy() for name, tensor in content.tensors.items()}, content.about


KINDS = (
    Written("text", lambda folder, which: files.write_text(folder / "training.csv", f"{which}\n" * 5000), lambda folder: (folder / "training.csv").read_text()),
    Written("json", lambda folder, which: files.write_json(folder / "a.json", {"a": [which] * 500}), lambda folder: (folder / "a.json").read_text()),
    Written(
        "sealed", lambda folder, which: sealed_files.write_sealed(folder / "a.json", {"a": [which] * 500}),
        lambda folder: sealed_files.read_sealed(folder / "a.json", "make it again"),
    ),
    Written(
        "tensors", lambda folder, which: tensor_files.write_tensors(folder / "a.safetensors", _arrays(which), {"of": which}),
        lambda folder: _tensors(tensor_files.read_tensors(folder / "a.safetensors", "make it again")),
    ),
    Written(
        "checkpoint", lambda folder, which: state_files.write_state(folder / "epoch-00001.last", {"weights": _arrays(which), "loss": which}),
        _read_checkpoint,
    ),
    Written("hdf5", _write_hdf5, _read_hdf5),
    Written("store", _write_store, _read_store),
    Written("model", _write_model, _read_model),
    Written(
        "timing", lambda folder, which: timing.note_time(folder / "timing.json", "train", float(which)),
        lambda folder: {name: each.seconds for name, each in timing.read_times(folder / "timing.json").items()},
    ),
)  # fmt: skip


def prepare(grounds: Grounds) -> Judge:
    """The judge of writes: the kind of file, and how many calls a whole write takes, are known from its number."""
    calls = {kind.name: _count_calls(kind) for kind in KINDS}

    def judge(case: Case) -> Verdict:
        random = case.random()
        kind = KINDS[case.number % len(KINDS)]
        place = case.number // len(KINDS)
        with tempfile.TemporaryDirectory(dir=grounds.folder) as name:
            folder = Path(name)
            if place < 2 * calls[kind.name]:
                what = f"{kind.name}, killed {'after' if place % 2 else 'before'} call {place // 2}"
                arm = lambda: _kill_at(place // 2, "c_return" if place % 2 else "c_call")  # noqa: E731
            else:
                seconds = random.uniform(0, 0.02)
                what, arm = f"{kind.name}, killed after {1000 * seconds:.1f} ms", lambda: _kill_after(seconds)
            return judged(kind, folder, random, what, arm)

    return judge


def judged(kind: Written, folder: Path, random: Random, what: str, arm: Callable[[], None]) -> Verdict:
    """Kill a writer, and look at what it leaves."""
    contents = []
    for which in (2, 1):
        kind.write(folder, which)
        contents.append(digest(kind.read(folder)))
    if random.random() < 0.3:  # there is no file yet
        for path in folder.iterdir():
            path.unlink()
        contents.append("nothing")
    _killed(lambda: kind.write(folder, 2), arm)
    reply = attempt(lambda: digest(kind.read(folder)) if _named(folder) else "nothing")
    if reply.outcome is Outcome.SENTENCE and kind.name != "model":  # a model is two files
        return Verdict(Outcome.SILENT, what, f"torn, although it is one file: {reply.said}"[-LONGEST:])
    if reply.outcome is Outcome.TRACEBACK or (reply.outcome is Outcome.RIGHT and reply.value not in contents):
        bad = Outcome.TRACEBACK if reply.outcome is Outcome.TRACEBACK else Outcome.SILENT
        return Verdict(bad, what, f"neither the old nor the new content: {reply.said or reply.value}"[-LONGEST:])
    if stray := [path.name for path in folder.iterdir() if path.name not in NAMES and not IGNORED.search(path.name)]:
        return Verdict(Outcome.SILENT, what, f"left over: {', '.join(stray)}")
    kind.write(folder, 2)
    if stray := [path.name for path in folder.iterdir() if path.name not in NAMES]:
        return Verdict(Outcome.SILENT, what, f"left over after the next write: {', '.join(stray)}")
    if digest(kind.read(folder)) != contents[0]:
        return Verdict(Outcome.SILENT, what, "the next write does not leave the new content")
    return Verdict(reply.outcome, what, reply.said)


NAMES = {
    "training.csv",
    "a.json",
    "a.safetensors",
    "epoch-00001.last",
    "samples.h5",
    "mine.h5",
    "model.safetensors",
    "variant.yaml",
    "timing.json",
}


def _named(folder: Path) -> bool:
    """Whether there is a file under a final name."""
    return any(path.name in NAMES for path in folder.iterdir())


def _killed(write: Callable[[], None], arm: Callable[[], None]) -> None:
    """Write in a child that is killed."""
    child = os.fork()
    if not child:
        try:
            arm()
            write()
        finally:
            sys.setprofile(None)
            os._exit(0)
    os.waitpid(child, 0)


def _kill_at(place: int, event_of: str) -> None:
    """Kill this process at its n-th call that changes a file."""
    count = 0

    def watch(frame: FrameType, event: str, called: Any) -> None:
        nonlocal count
        if event == event_of and _changes_a_file(called):
            if count == place:
                os.kill(os.getpid(), signal.SIGKILL)
            count += 1

    sys.setprofile(watch)


def _kill_after(seconds: float) -> None:
    """Kill this process after a time, by another process, which a call into C does not delay."""
    target = os.getpid()
    if not os.fork():
        time.sleep(seconds)
        os.kill(target, signal.SIGKILL)
        os._exit(0)


def _changes_a_file(called: Any) -> bool:
    """Whether a called function of C changes a file; text in memory has methods of the same names."""
    in_memory = isinstance(getattr(called, "__self__", None), str | bytes | io.StringIO | io.BytesIO)
    return getattr(called, "__name__", "") in CALLS and not in_memory


def _count_calls(kind: Written) -> int:
    """How many calls that change a file a write makes."""
    count = 0

    def watch(frame: FrameType, event: str, called: Any) -> None:
        nonlocal count
        count += event == "c_call" and _changes_a_file(called)

    with tempfile.TemporaryDirectory() as folder:
        kind.write(Path(folder), 1)
        sys.setprofile(watch)
        try:
            kind.write(Path(folder), 2)
        finally:
            sys.setprofile(None)
    return count


KIND = Kind("writes", prepare, cases=1200, batch=10)
