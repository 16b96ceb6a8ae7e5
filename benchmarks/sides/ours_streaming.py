"""Our training steps on a split of 4.4 GB, either held in memory or read from disk ahead of each step."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch

from benchmarks.side import Work
from benchmarks.sides.ours_training import COLOURS, face_stepper
from benchmarks.work import FACES, STREAMED_STORE, STREAMING, attributes, faces
from vaeline.data.batches import Batches
from vaeline.data.store import Stream, read_split, write


def steps(budget: str) -> Work:
    """Take some steps per turn of one long epoch. A split larger than `budget` bytes is read from disk."""
    if not STREAMED_STORE.exists():
        _write_store(STREAMED_STORE)
    batches = Batches(read_split(STREAMED_STORE, "train", int(budget)), COLOURS, FACES["batch"])
    step, epoch = face_stepper("32-true"), batches.shuffled(0, flip=True)

    def work() -> float:
        for number in range(STREAMING["steps"]):
            step(*next(epoch), number)
        return STREAMING["steps"] * FACES["batch"]

    return work


def _write_store(path: Path) -> None:
    """Write a store of faces that all differ, block by block."""
    count, block = STREAMING["images"], 2000
    few = faces(torch, block, FACES["size"]).numpy()
    blocks = (np.roll(few, turn, axis=3) ^ np.uint8(turn) for turn in range(count // block))

    def stream(blocks: Iterable[np.ndarray], images: int) -> Stream:
        return Stream(blocks, attributes(torch, images).numpy(), [str(row) for row in range(images)])

    splits = {"train": stream(blocks, count), **{name: stream([few[:8]], 8) for name in ("validation", "test")}}
    write(path, COLOURS, splits)
