"""Trainings by two processes that share each batch, and by one: what each ends with. As a program, this is one of the two."""

import json
import math
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from torch import Tensor, distributed, nn
from torch.nn.modules.batchnorm import _BatchNorm

from tests.training.tiny import Killed, kill_after
from vaeline.data.batches import Batches
from vaeline.data.facts import Facts
from vaeline.data.store import Split
from vaeline.models.model import Model
from vaeline.study.recipe import Recipe
from vaeline.study.schema import Training, Variant
from vaeline.training import checkpoints, step
from vaeline.training.adversary import TrainedAdversary, adversary_of
from vaeline.training.checkpoints import Checkpoints
from vaeline.training.job import Job, fresh_model
from vaeline.training.loop import train
from vaeline.training.pretraining import pretrain
from vaeline.training.tally import Row

ROOT = Path(__file__).parents[2]
RANKS, MINUTES = 2, 5  # that one waits for the other
# Adam divides a gradient by its size. One that is 0 but for rounding, as that of a bias before a normalisation, would become a step.
EPS = 1.0


class Case(NamedTuple):
    """A training; its content is plain, so that another process can be given it."""

    name: str
    variant: dict[str, Any]
    facts: dict[str, Any]
    settings: dict[str, Any]
    killed_after: int = 0  # an epoch; the training is then run again


class Ended(NamedTuple):
    """What a training ends with."""

    weights: dict[str, Tensor]  # of the model and of the adversary
    rows: list[Row]


def facts_of(content: dict[str, Any]) -> Facts:
    return Facts(**{key: tuple(each) if key in ("image_shape", "range") else each for key, each in content.items()})


def split(facts: Facts, name: str) -> Split:
    count, generator = facts.counts[name], np.random.default_rng(len(name))
    if facts.points:
        images = generator.standard_normal((count, *facts.image_shape)).astype(np.float32)
    else:
        images = generator.integers(0, facts.levels, (count, *facts.image_shape)).astype(np.uint8)
    if facts.pixels == "static_binary":
        images = np.where(images > facts.levels // 2, facts.levels - 1, 0).astype(np.uint8)
    labels = np.stack([np.arange(count) // (column + 1) % 2 for column in range(len(facts.label_names))], 1)
    return Split(images, labels.astype(np.int64), [str(row) for row in range(count)])


def ended(case: Case, rank: int = 0, on_epoch: Callable[[Row], None] = lambda row: None) -> Ended:
    """Train; the checkpoints are in the folder that the process is in."""
    facts, settings = facts_of(case.facts), Training.model_validate(case.settings)
    model = fresh_model(Recipe(Variant.model_validate(case.variant), settings), facts, 0)
    images, validation = (Batches(split(facts, name), facts, settings.batch_size) for name in ("train", "validation"))
    pretrain(model, images, 0, Checkpoints(f"{case.name}-{rank}-pretraining", {}))
    fabric = Fabric(accelerator="cpu", devices=1, precision=settings.precision)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(step, "adversary_of", _adversary_of)
        rows = train(Job(model, images, validation, settings, seed=0), Checkpoints(case.name, {}), fabric, on_epoch)
    return Ended(weights_of(model), rows)


def _adversary_of(*arguments: Any) -> TrainedAdversary | None:
    found = adversary_of(*arguments)
    for group in found.optimizer.param_groups if found else ():
        group["eps"] = EPS
    return found


def weights_of(model: Model) -> dict[str, Tensor]:
    adversary = model.regularizer.adversary
    others = {} if adversary is None else adversary.network.state_dict()
    found = {**model.state_dict(), **{f"adversary.{name}": each for name, each in others.items()}}
    return {name: each for name, each in found.items() if name not in set(_without_effect(model))}


def _without_effect(model: Model) -> Iterator[str]:
    """The biases that a batch normalisation takes off again: they have no gradient, and move by rounding alone."""
    for name, layers in model.named_modules():
        if isinstance(layers, nn.Sequential):
            for index, (_, after) in enumerate(pairwise(layers)):
                if isinstance(after, _BatchNorm):
                    yield f"{name}.{index}.bias"


def difference(one: dict[str, Tensor], other: dict[str, Tensor]) -> float:
    """The largest difference of two trainings' weights, relative to the largest number of the same tensor, or to a tenth."""
    assert one.keys() == other.keys()
    return max(_relative(one[name].double(), other[name].double()) for name in one)


def _relative(one: Tensor, other: Tensor) -> float:
    return float((one - other).abs().max()) / max(float(one.abs().max()), 0.1)


def by_two(cases: list[Case], folder: Path, seconds: float = 1800) -> dict[str, Ended]:
    """Train all cases by the same two processes."""
    (folder / "cases.json").write_text(json.dumps(cases), encoding="utf-8")
    command = [sys.executable, "-m", "tests.training.two_ranks", str(folder)]
    surroundings = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": _loopback()}
    ranks = [subprocess.Popen([*command, str(rank)], cwd=folder, env=surroundings) for rank in range(RANKS)]
    try:
        assert [rank.wait(seconds) for rank in ranks] == [0] * RANKS
    finally:
        for rank in ranks:
            rank.kill()
    return {case.name: Ended(**torch.load(folder / f"{case.name}.pt", weights_only=True)) for case in cases}


def _loopback() -> str:
    return "lo0" if sys.platform == "darwin" else "lo"


def _be_rank(folder: Path, rank: int) -> None:
    """Train all cases with the other rank; the first rank writes what each ends with."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    checkpoints.SHARE = math.inf  # one after every epoch
    waits = timedelta(minutes=MINUTES)
    distributed.init_process_group("gloo", (folder / "meeting").as_uri(), waits, RANKS, rank)
    for content in json.loads((folder / "cases.json").read_text(encoding="utf-8")):
        case = Case(*content)
        if case.killed_after:
            with pytest.raises(Killed):
                ended(case, rank, kill_after(case.killed_after))
            distributed.barrier()  # the first rank has written the checkpoint that the others read
        found = ended(case, rank)
        if rank == 0:
            torch.save(found._asdict(), folder / f"{case.name}.pt")
    distributed.destroy_process_group()


if __name__ == "__main__":
    _be_rank(Path(sys.argv[1]), int(sys.argv[2]))
