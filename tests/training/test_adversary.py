"""A regularizer's adversary: trained, resumed, not exported, and named when it diverges."""

from typing import Any

import pytest
import torch
from lightning_fabric import Fabric

from tests.training.tiny import FACTS, Killed, kill_after, run, same
from vaeline.models.model import Model
from vaeline.models.regularizers import factor
from vaeline.system.errors import UserError
from vaeline.training.checkpoints import Checkpoints
from vaeline.training.tally import Tally

FACTOR = {"regularizer": {"name": "factor", "gamma": 5.0, "width": 8, "depth": 2, "learning_rate": 0.01}}


def test_an_adversary_is_trained_and_resumed_but_not_exported() -> None:
    whole, rows = run("whole", variant=FACTOR)
    with pytest.raises(Killed):
        run("killed", kill_after(2), variant=FACTOR)
    resumed, rows_again = run("killed", variant=FACTOR)
    assert same(whole, resumed) and rows == rows_again
    for name, weight in whole.regularizer.adversary.network.state_dict().items():
        assert torch.equal(weight, resumed.regularizer.adversary.network.state_dict()[name])
    assert not [name for name in whole.state_dict() if "adversary" in name]
    untrained = Model(whole.variant, FACTS).regularizer.adversary.network
    assert not torch.equal(untrained[0].weight, whole.regularizer.adversary.network[0].weight)
    assert {"adversary", "total_correlation", "validation_adversary"} <= rows[0].keys()


PATCHES = {
    "condition": None, "network": {"name": "conv", "width": 4, "depth": 2}, "posterior": {"name": "gaussian_map"},
    "prior": {"name": "standard"}, "likelihood": {"name": "laplace"},
    "regularizer": {
        "name": "sum",
        "parts": [
            {"name": "kl", "weight": 1e-6}, {"name": "perceptual", "width": 2, "epochs": 2},
            {"name": "patch_adversary", "width": 4, "start": 4},
        ],
    },
}  # fmt: skip


def test_a_killed_training_against_patches_ends_in_the_same_bytes() -> None:
    """The adversary starts in the second of the epochs, of three steps each; the training is killed before and after."""
    whole, rows = run("whole", variant=PATCHES)
    for epoch in (1, 3):
        with pytest.raises(Killed):
            run("killed", kill_after(epoch), variant=PATCHES)
    resumed, rows_again = run("killed", variant=PATCHES)
    assert same(whole, resumed) and rows == rows_again
    assert rows[0]["adversarial"] == rows[0]["adversary"] == 0 and rows[2]["adversarial"] != 0 != rows[2]["adversary"]
    assert "validation_adversarial" not in rows[0] and not [name for name in whole.state_dict() if "adversary" in name]


def test_adversarial_training_keeps_the_last_weights() -> None:
    """The objective is lowest when the adversary is worst, so validation cannot choose by it."""
    model, rows = run("factor", variant=FACTOR, epochs=3, patience=1, learning_rate=0.1)
    objectives = [row["validation_objective"] for row in rows]
    assert len(rows) == 3 and objectives.index(min(objectives)) == 0
    state = Checkpoints("factor", {}).latest(3)
    assert state is not None
    assert all(torch.equal(weight, model.state_dict()[name]) for name, weight in state["model"].items())


def test_an_adversary_with_diverging_weights_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def sicken(self: Fabric, objective: torch.Tensor) -> None:
        backward(self, objective)
        calls.append(1)
        if len(calls) == 3:  # the last step of epoch 1: no term has shown it yet
            next(adversaries[-1].parameters()).grad.fill_(float("nan"))

    calls: list[int] = []
    backward, adversaries = Fabric.backward, []
    built = factor.build
    monkeypatch.setattr(
        factor,
        "build",
        lambda *arguments: (adversaries.append((found := built(*arguments)).adversary.network), found)[1],
    )
    monkeypatch.setattr(Fabric, "backward", sicken)
    with pytest.raises(
        UserError, match=r"weights of the regularizer's adversary are not finite; no epoch was finished"
    ):
        run("sick", variant=FACTOR)


def test_a_diverging_adversary_is_named_and_the_checkpoint_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    backward = Fabric.backward
    steps: list[int] = []

    def sicken(self: Fabric, objective: torch.Tensor) -> None:
        backward(self, objective)
        steps.append(1)
        if len(steps) == 8:  # the second of three steps of epoch 3
            for weight in adversaries[-1].parameters():
                assert weight.grad is not None
                weight.grad.fill_(float("inf"))

    adversaries: list[torch.nn.Module] = []
    built = factor.build

    def build(*arguments: Any) -> factor.Factor:
        found = built(*arguments)
        adversaries.append(found.adversary.network)
        return found

    monkeypatch.setattr(factor, "build", build)
    monkeypatch.setattr(Fabric, "backward", sicken)
    with pytest.raises(
        UserError, match=r"epoch 3, step 3: .*total_correlation nan, .*adversary nan; checkpoints up to epoch 2"
    ):
        run("sick", variant=FACTOR)
    state = Checkpoints("sick", {}).latest(4)
    assert state is not None and all(each.isfinite().all() for each in state["adversary"]["network"].values())


def test_an_adversary_that_grows_without_bound_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    backward, built = Fabric.backward, factor.build
    steps: list[int] = []
    adversaries: list[torch.nn.Module] = []

    def sicken(self: Fabric, objective: torch.Tensor) -> None:
        backward(self, objective)
        steps.append(1)
        if len(steps) == 7:  # the first of three steps of epoch 3
            with torch.no_grad():
                last = [*adversaries[-1].parameters()][-1]
                last.copy_(torch.tensor([1e6, -1e6]))

    monkeypatch.setattr(
        factor, "build", lambda *arguments: (found := built(*arguments), adversaries.append(found.adversary.network))[0]
    )
    monkeypatch.setattr(Fabric, "backward", sicken)
    with pytest.raises(UserError, match=r"epoch 3, in the mean: .*worse than chance; checkpoints up to epoch 2"):
        run("lost", variant=FACTOR)


def test_the_remedy_names_the_adversary_wherever_it_stands() -> None:
    said = str(Tally(2, Checkpoints("a", {}), against_adversary=True).diverged("step 3", "objective nan"))
    assert "Lower the learning rate of the adversary in `regularizer`, or training.learning_rate, or set" in said
