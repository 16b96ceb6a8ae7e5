"""The network that a regularizer brings: fitted before the training, resumed, the same for all variants of a seed."""

from typing import Any

import pytest
import torch

from tests.training.tiny import FACTS, Killed, split
from vaeline.data.batches import Batches
from vaeline.models.model import Model
from vaeline.study.schema import Variant
from vaeline.training.checkpoints import Checkpoints
from vaeline.training.pretraining import pretrain

PERCEPTUAL = {"name": "perceptual", "width": 4, "epochs": 3}


def fitted(name: str, seed: int = 0, latent: int = 2, regularizer: Any = PERCEPTUAL) -> tuple[Any, list[float]]:
    posterior = {"name": "deterministic"}
    variant = {
        "network": {"name": "mlp", "widths": [16]}, "latent": latent, "posterior": posterior, "prior": {"name": "standard"},
        "likelihood": {"name": "unit_gaussian"}, "regularizer": regularizer,
    }  # fmt: skip
    model = Model(Variant.model_validate(variant), FACTS)
    losses = pretrain(model, Batches(split(40), FACTS, 16), seed, Checkpoints(name, {}))
    return model.regularizer.pretrained, losses


def same(one: torch.nn.Module, other: torch.nn.Module) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


def test_a_killed_pretraining_ends_in_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, losses = fitted("whole")
    write = Checkpoints.write

    def write_and_die(self: Checkpoints, epoch: int, state: Any, finished: bool) -> None:
        write(self, epoch, state, finished)
        raise Killed

    for _ in range(2):
        with monkeypatch.context() as patch, pytest.raises(Killed):
            patch.setattr(Checkpoints, "write", write_and_die)
            fitted("killed")
    again, losses_again = fitted("killed")
    assert same(whole, again) and losses == losses_again and len(losses) == 3
    finished, _ = fitted("whole")
    assert same(whole, finished) and not any(weight.requires_grad for weight in finished.parameters())


def test_variants_of_a_seed_get_the_same_network() -> None:
    first, other, of_seed = fitted("a")[0], fitted("b", latent=3)[0], fitted("c", seed=1)[0]
    assert same(first, other) and not same(first, of_seed)


def test_a_regularizer_without_a_network_is_left_alone() -> None:
    assert fitted("none", regularizer={"name": "none"}) == (None, [])
