"""Our preprocessing, as the preprocess step does it, and our batches."""

import os
import tempfile
from pathlib import Path

import numpy as np
import torch

from benchmarks.side import Work
from benchmarks.work import BATCHES, FACES, PREPROCESS, celeba, faces
from vaeline.data import raw_images
from vaeline.data.batches import Batches
from vaeline.data.facts import Facts
from vaeline.data.preprocessing import preprocess as preprocess_all
from vaeline.data.store import Split
from vaeline.study.schema import Dataset
from vaeline.system.devices import prepare_process
from vaeline.system.memory import keep_memory


def preprocess(threads: str) -> Work:
    """Preprocess photographs into a store, with a number of threads and cores."""
    keep_memory()
    os.sched_setaffinity(
        0, sorted(os.sched_getaffinity(0))[: int(threads)]
    )  # a thread that writes runs beside the decoding threads
    source = str(celeba(PREPROCESS["images"]))
    dataset = Dataset.model_validate(
        {"id": "faces", "name": "celeba", "source": source, "size": PREPROCESS["size"], "split": {"method": "random"}}
    )
    manifest = raw_images.fetch(dataset)
    path = Path(tempfile.mkdtemp()) / "images.h5"

    def work() -> float:
        preprocess_all(dataset, manifest, path, int(threads))
        return PREPROCESS["images"]

    return work


def batches() -> Work:
    """Deal one epoch of batches, flipped and rotated."""
    prepare_process(torch.get_num_threads())
    images, count = faces(torch, BATCHES["images"], FACES["size"]), BATCHES["images"]
    facts = Facts("faces", tuple(images.shape[1:]), 256, (-1.0, 1.0), ["none"], [["none"]], pixels="greys")
    split = Split(images.numpy(), np.zeros((count, 1), np.int64), [""] * count)
    dealer = Batches(split, facts, BATCHES["batch"])

    def work() -> float:
        return sum(len(x) for x, _ in dealer.shuffled(0, flip=True, rotation=BATCHES["rotation"]))

    return work
