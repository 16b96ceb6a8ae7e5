"""Every entry of every study, by two processes and by one: two steps of each. `-s` prints the table of differences."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from tests.test_every_entry import entries, made_up, resolved, smaller
from tests.training.two_ranks import EPS, Case, Ended, by_two, difference, ended
from vaeline.study.schema import Variant

# A step moves a weight by at most 0.01. Gradients of large images are far above EPS, and batches are small, so that rounding shows: the median
# is 8e-7, and faces with batch normalisation are off by up to 1e-2. What treats a slice as the batch fails in tests/training/test_ranks.py.
TOLERANCE = 2e-2
SETTINGS = {"epochs": 1, "learning_rate": 0.01, "batch_size": 5, "eps": EPS, "device": "cpu"}
COUNTS = {"train": 10, "validation": 5, "test": 4}


def cases() -> Iterator[Case]:
    for study, entry in entries():
        variant = Variant.model_validate(smaller(resolved(study).variants[entry].model_dump(mode="json")))
        content = {**variant.model_dump(mode="json"), "training": {}}
        yield Case(f"{study} {entry}", content, asdict(made_up(resolved(study))[0]) | {"counts": COUNTS}, SETTINGS)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ended]:
    return by_two(list(cases()), tmp_path_factory.mktemp("entries"))


@pytest.mark.slow(reason="two processes and one train every entry, and the quick tests train every part so")
def test_two_processes_train_every_entry_as_one_does(shared: dict[str, Ended], tmp_path: Path) -> None:
    torch.set_num_threads(1)
    found = {case.name: difference(ended(case).weights, shared[case.name].weights) for case in cases()}
    for name, largest in found.items():
        print(f"{name:50} {largest:.1e}")
    assert not {name: largest for name, largest in found.items() if not largest < TOLERANCE}
