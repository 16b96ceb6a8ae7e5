"""Training: its result, when it stops, and that a killed training ends in the same bytes."""

from typing import Any

import pytest
import torch
from lightning_fabric import Fabric

from tests.training.tiny import FACTS, Killed, kill_after, run, same, split
from vaeline.data.batches import Batches
from vaeline.models.contracts import Objective
from vaeline.models.flows import affine_coupling
from vaeline.models.model import Model
from vaeline.system.errors import UserError
from vaeline.training.checkpoints import Checkpoints
from vaeline.training.tally import Row


def test_a_killed_training_ends_in_the_same_bytes() -> None:
    whole, rows = run("whole")
    for epoch in (1, 3):
        with pytest.raises(Killed):
            run("killed", kill_after(epoch))
    resumed, rows_again = run("killed")
    assert same(whole, resumed) and rows == rows_again


SYSTEMS: dict[str, dict[str, Any]] = {
    "codes": {
        "network": {"name": "conv", "width": 4, "depth": 2}, "condition": None, "likelihood": {"name": "fixed_sigma"},
        "posterior": {"name": "vector_quantized", "codes": 6}, "prior": {"name": "uniform"}, "regularizer": {"name": "commitment"},
    },
    "points": {
        "posterior": {"name": "deterministic"}, "regularizer": {"name": "none"}, "prior": {"name": "standard"},
        "likelihood": {"name": "learned_sigma"},
    },
    "pseudo-inputs": {
        "condition": {"embedding": None, "encoder": False}, "prior": {"name": "vamp", "pseudo_inputs": 4},
        "regularizer": {"name": "total_correlation"},
    },
    "a discrepancy": {"condition": None, "prior": {"name": "decoupled"}, "regularizer": {"name": "mmd"}},
    "importance weights of flows": {
        "posterior": {"name": "flow", "flows": [{"name": "planar"}, {"name": "inverse_autoregressive"}], "context": 2},
        "prior": {"name": "mixture"}, "condition": None, "regularizer": {"name": "none"},
        "bound": {"name": "importance_weighted", "samples": 3},
    },
    "a capacity": {"prior": {"name": "conditional_gaussian"}, "regularizer": {"name": "capacity", "steps": 9}},
}  # fmt: skip


@pytest.mark.parametrize("variant", SYSTEMS.values(), ids=SYSTEMS)
def test_every_kind_of_model_resumes_to_the_same_bytes(variant: dict[str, Any]) -> None:
    whole, rows = run("whole", variant=variant)
    with pytest.raises(Killed):
        run("killed", kill_after(2), variant=variant)
    resumed, rows_again = run("killed", variant=variant)
    assert same(whole, resumed) and rows == rows_again


RECIPES: dict[str, dict[str, Any]] = {
    "adamw": {"optimizer": "adamw", "weight_decay": 0.1},
    "adamax": {"optimizer": "adamax", "betas": [0.5, 0.9], "eps": 0.001},
    "cosine": {"schedule": "cosine", "warmup": 4},
    "an average": {"weight_average": 0.9},
    "noise": {"gradient_noise": 0.1, "gradient_clip": 1.0},
    "glorot": {"initialisation": "glorot"},
}


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_every_recipe_resumes_to_the_same_bytes(recipe: dict[str, Any]) -> None:
    whole, rows = run("whole", **recipe)
    with pytest.raises(Killed):
        run("killed", kill_after(2), **recipe)
    resumed, rows_again = run("killed", **recipe)
    assert same(whole, resumed) and rows == rows_again
    assert not same(whole, run("usual")[0])


def test_a_training_killed_long_after_its_checkpoint_ends_in_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, rows = run("whole")
    with monkeypatch.context() as patch:
        due = iter([True, False, False])
        patch.setattr(Checkpoints, "due", lambda self: next(due))
        with pytest.raises(Killed):
            run("killed", kill_after(3))
    assert Checkpoints("killed", {}).latest(4)["progress"]["epoch"] == 1  # type: ignore[index]
    resumed, again = run("killed")
    assert same(whole, resumed) and rows == again


def test_the_average_is_validated_and_saved_and_the_weights_go_on() -> None:
    """With a decay of 0 the average is the weights; with another one it changes what is saved but no step."""
    plain, rows = run("plain")
    copied, rows_of_copy = run("copied", weight_average=0.0)
    averaged, rows_of_average = run("averaged", weight_average=0.9)
    assert same(plain, copied) and rows == rows_of_copy
    assert not same(plain, averaged)
    assert [row["objective"] for row in rows] == [row["objective"] for row in rows_of_average]
    assert rows[-1]["validation_objective"] != rows_of_average[-1]["validation_objective"]


def test_a_finished_training_takes_no_step(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, rows = run("whole")
    monkeypatch.setattr(Model, "forward", lambda *_: pytest.fail("a step was taken"))
    again, rows_again = run("whole")
    assert same(whole, again) and rows == rows_again


def test_longer_trainings_continue_shorter_ones() -> None:
    short, _ = run("grown", epochs=2)
    long, _ = run("grown", epochs=4)
    whole, _ = run("whole", epochs=4)
    assert same(long, whole)
    assert same(run("grown", epochs=2)[0], short)


def test_the_learning_rate_falls_after_each_milestone() -> None:
    """The decay freezes the weights, so epochs after the first milestone change nothing."""
    settings = {"milestones": [2, 3], "decay": 1e-12, "variant": {"likelihood": {"name": "unit_gaussian"}}}
    short, _ = run("short", **settings, epochs=2)
    whole, rows = run("whole", **settings)
    with pytest.raises(Killed):
        run("killed", kill_after(3), **settings)
    resumed, _ = run("killed", **settings)
    assert same(whole, resumed)
    validated = [row["validation_objective"] for row in rows]
    assert validated[0] != validated[1] and validated[1] == pytest.approx(validated[3], rel=1e-6)
    free, _ = run("free", variant=settings["variant"])
    assert not same(whole, free)
    for name, weight in short.state_dict().items():
        torch.testing.assert_close(weight, whole.state_dict()[name])


def test_epochs_before_a_resume_are_reported_too() -> None:
    with pytest.raises(Killed):
        run("killed", kill_after(2))
    seen: list[Row] = []
    _, rows = run("killed", seen.append)
    assert seen == rows and [row["epoch"] for row in rows] == [1, 2, 3, 4]


def test_training_lowers_the_objective() -> None:
    _, rows = run("long", epochs=30, patience=30)
    assert rows[-1]["validation_objective"] < rows[0]["validation_objective"] - 10


def test_the_best_weights_are_kept_and_training_stops_early() -> None:
    model, rows = run("stopped", epochs=60, patience=3, learning_rate=0.3)
    objectives = [row["validation_objective"] for row in rows]
    best = objectives.index(min(objectives))
    assert len(rows) < 60 and len(rows) - 1 - best == 3
    assert float(model.likelihood.sigma) == pytest.approx(rows[best]["sigma"])


@pytest.mark.parametrize("clip", [None, 1.0])
def test_a_diverging_loss_names_its_step_and_keeps_the_checkpoint(
    monkeypatch: pytest.MonkeyPatch, clip: float | None
) -> None:
    with pytest.raises(Killed):
        run("sick", kill_after(2), gradient_clip=clip)
    forward = Model.forward

    def sicken(self: Model, x: torch.Tensor, labels: torch.Tensor, step: int | None = None) -> Objective:
        terms, logged, _ = forward(self, x, labels, step)
        return Objective({**terms, "distortion": terms["distortion"] * (float("nan") if step == 8 else 1)}, logged)

    monkeypatch.setattr(Model, "forward", sicken)
    with pytest.raises(
        UserError, match=r"epoch 3, step 2: objective nan, distortion nan, kl .*checkpoints up to epoch 2 are kept"
    ):
        run("sick", gradient_clip=clip)
    assert Checkpoints("sick", {}).latest(4)["progress"]["epoch"] == 2  # type: ignore[index]


def test_processes_whose_weights_differ_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vaeline.system.ranks.agree", lambda tensors: False)
    with pytest.raises(
        UserError, match="have other weights or random numbers .* after epoch 1: .*; set training.processes to 1"
    ):
        run("apart")


def test_a_nonfinite_weight_is_never_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last step of an epoch without validation: no loss term has become nonfinite yet."""
    backward = Fabric.backward

    def sicken(self: Fabric, objective: torch.Tensor) -> None:
        calls.append(objective)
        backward(self, objective * (float("nan") if len(calls) == 9 else 1.0))

    calls: list[torch.Tensor] = []
    monkeypatch.setattr(Fabric, "backward", sicken)
    with pytest.raises(
        UserError, match=r"epoch 3, after its last step: weights of .* and of the network .* up to epoch 2 are kept"
    ):
        run("sick", validate_every=4)
    state = Checkpoints("sick", {}).latest(4)
    assert state is not None and all(tensor.isfinite().all() for tensor in state["model"].values())


def test_an_initially_infinite_loss_does_not_blame_the_learning_rate() -> None:
    with pytest.raises(
        UserError, match=r"at its first step: .*distortion inf.*; no weight has been changed yet, .*option"
    ):
        run("sick", variant={"likelihood": {"name": "fixed_sigma", "sigma": 1e-30}})


def test_bf16_steps_end_near_fp32_steps() -> None:
    _, exact = run("exact")
    _, rough = run("rough", precision="bf16-mixed")
    assert rough[-1]["validation_objective"] == pytest.approx(exact[-1]["validation_objective"], abs=3)
    assert rough[-1]["validation_objective"] != exact[-1]["validation_objective"]


def test_a_last_batch_of_one_image_is_merged() -> None:
    batches = Batches(split(33), FACTS, 16)
    assert [len(x) for x, _ in batches.shuffled(0)] == [16, 17] and len(batches) == 2


def test_a_diverging_flow_is_named_and_the_checkpoint_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    forward = affine_coupling.AffineCouplings.forward
    calls: list[int] = []

    def sicken(self: Any, z: torch.Tensor, context: torch.Tensor | None = None) -> Any:
        u, log_det = forward(self, z, context)
        calls.append(self.training)
        return u, log_det * (float("inf") if sum(calls) == 8 else 1)

    monkeypatch.setattr(affine_coupling.AffineCouplings, "forward", sicken)
    with pytest.raises(UserError, match=r"epoch 3, step 2: .*kl (nan|-?inf).*checkpoints up to epoch 2 are kept"):
        run("sick")
    assert Checkpoints("sick", {}).latest(4)["progress"]["epoch"] == 2  # type: ignore[index]
