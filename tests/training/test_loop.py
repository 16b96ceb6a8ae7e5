"""Training: what it leaves, when it stops, and that a killed one ends in the same bytes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric

from vaeline.data.batches import Batches
from vaeline.data.facts import Facts
from vaeline.data.store import Split
from vaeline.models.calibration import mean_squared_error
from vaeline.models.contracts import Objective
from vaeline.models.flows import affine_coupling
from vaeline.models.model import Model
from vaeline.models.regularizers import factor
from vaeline.study.schema import Training, Variant
from vaeline.system.errors import UserError
from vaeline.training.checkpoints import Checkpoints
from vaeline.training.density_fit import fit_density
from vaeline.training.job import Job
from vaeline.training.loop import train
from vaeline.training.tally import Row

FACTS = Facts(
    "tiny", (1, 8, 8), 17, (-1.0, 1.0), ["digit"], [["0", "1"]], counts={"train": 40, "validation": 12, "test": 4}
)
VARIANT = {
    "network": {"name": "mlp", "widths": [16]},
    "latent": 2,
    "condition": {"embedding": 3},
    "posterior": {"name": "gaussian"},
    "prior": {"name": "conditional_flow"},
    "likelihood": {"name": "optimal_sigma"},
    "regularizer": {"name": "kl", "warmup": 5},
}


class Killed(Exception):
    pass


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def split(count: int) -> Split:
    generator = np.random.default_rng(count)
    images = (generator.random((count, 1, 8, 8)) * np.linspace(0, 17, 8)).astype(np.uint8)
    return Split(images, np.arange(count)[:, None] % 2, [str(index) for index in range(count)])


def run(name: str, on_epoch: Callable[[Row], None] = lambda row: None, **settings: Any) -> tuple[Model, list[Row]]:
    variant = {**VARIANT, **settings.pop("variant", {})}
    training = Training.model_validate(
        {"epochs": 4, "learning_rate": 0.01, "batch_size": 16, "flip": True, "rotation": 5, **settings}
    )
    torch.manual_seed(0)
    model = Model(Variant.model_validate(variant), FACTS)
    job = Job(model, Batches(split(40), FACTS, 16), Batches(split(12), FACTS, 16), training, seed=0)
    fabric = Fabric(accelerator="cpu", devices=1, precision=training.precision)
    return model, train(job, Checkpoints(name, {}), fabric, on_epoch)


def same(one: Model, other: Model) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


def kill_after(epoch: int) -> Callable[[Row], None]:
    def on_epoch(row: Row) -> None:
        if row["epoch"] == epoch:
            raise Killed

    return on_epoch


def test_a_killed_training_ends_in_the_bytes_of_an_undisturbed_one() -> None:
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
def test_every_kind_of_system_ends_in_the_same_bytes_when_it_is_killed(variant: dict[str, Any]) -> None:
    whole, rows = run("whole", variant=variant)
    with pytest.raises(Killed):
        run("killed", kill_after(2), variant=variant)
    resumed, rows_again = run("killed", variant=variant)
    assert same(whole, resumed) and rows == rows_again


def test_a_finished_training_is_given_back_without_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, rows = run("whole")
    monkeypatch.setattr(Model, "forward", lambda *_: pytest.fail("a step was taken"))
    again, rows_again = run("whole")
    assert same(whole, again) and rows == rows_again


def test_more_epochs_go_on_from_fewer_and_fewer_are_still_there() -> None:
    short, _ = run("grown", epochs=2)
    long, _ = run("grown", epochs=4)
    whole, _ = run("whole", epochs=4)
    assert same(long, whole)
    assert same(run("grown", epochs=2)[0], short)


def test_the_learning_rate_falls_after_each_milestone_also_in_a_resumed_training() -> None:
    """At a decay that freezes the weights, epochs after the first milestone change nothing."""
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


def test_every_epoch_is_reported_also_those_before_a_resume() -> None:
    with pytest.raises(Killed):
        run("killed", kill_after(2))
    seen: list[Row] = []
    _, rows = run("killed", seen.append)
    assert seen == rows and [row["epoch"] for row in rows] == [1, 2, 3, 4]


def test_training_lowers_the_objective() -> None:
    _, rows = run("long", epochs=30, patience=30)
    assert rows[-1]["validation_objective"] < rows[0]["validation_objective"] - 10


def test_the_best_weights_are_kept_and_waiting_ends() -> None:
    model, rows = run("stopped", epochs=60, patience=3, learning_rate=0.3)
    objectives = [row["validation_objective"] for row in rows]
    best = objectives.index(min(objectives))
    assert len(rows) < 60 and len(rows) - 1 - best == 3
    assert float(model.likelihood.sigma) == pytest.approx(rows[best]["sigma"])


def test_the_objective_is_its_terms_and_the_validation_bound_is_unweighted() -> None:
    _, rows = run("terms")
    for row in rows:
        assert row["objective"] == pytest.approx(row["distortion"] + row["kl"], rel=1e-5)
        assert row["validation_negative_elbo"] == row["validation_distortion"] + row["validation_rate"]
        assert row["validation_objective"] == pytest.approx(row["validation_negative_elbo"], rel=1e-5)
    assert rows[0]["kl"] < rows[0]["rate"]  # its weight was still rising


@pytest.mark.parametrize("clip", [None, 1.0])
def test_a_diverging_loss_stops_with_its_place_and_keeps_the_checkpoint(
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


def test_a_weight_that_is_not_finite_stops_before_it_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last step of an epoch without validation: no term has shown it yet."""
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


def test_a_loss_that_starts_infinite_is_no_matter_of_the_learning_rate() -> None:
    with pytest.raises(
        UserError, match=r"at its first step: .*distortion inf.*; no weight has been changed yet, .*option"
    ):
        run("sick", variant={"likelihood": {"name": "fixed_sigma", "sigma": 1e-30}})


def test_a_prior_whose_samples_overflow_is_named_although_its_terms_are_finite(monkeypatch: pytest.MonkeyPatch) -> None:
    inverse = affine_coupling.AffineCouplings.inverse

    def sicken(self: Any, u: torch.Tensor, context: torch.Tensor | None = None) -> torch.Tensor:
        calls.append(1)
        z = inverse(self, u, context)
        return z.index_fill(0, torch.tensor([3]), float("inf")) if len(calls) == 3 else z

    calls: list[int] = []
    monkeypatch.setattr(affine_coupling.AffineCouplings, "inverse", sicken)
    with pytest.raises(
        UserError, match=r"epoch 3, in validation: 1 of 12 samples of prior conditional_flow are not finite"
    ):
        run("sick")
    assert Checkpoints("sick", {}).latest(4)["progress"]["epoch"] == 2  # type: ignore[index]


def test_sigma_is_that_of_the_training_split() -> None:
    model, _ = run("sigma")
    measured = mean_squared_error(model.eval(), Batches(split(40), FACTS, 16), seed=7) ** 0.5
    assert float(model.likelihood.sigma) == pytest.approx(measured, rel=0.05)


def test_bf16_steps_end_near_those_of_32_bits() -> None:
    _, exact = run("exact")
    _, rough = run("rough", precision="bf16-mixed")
    assert rough[-1]["validation_objective"] == pytest.approx(exact[-1]["validation_objective"], abs=3)
    assert rough[-1]["validation_objective"] != exact[-1]["validation_objective"]


def test_a_validation_that_is_not_finite_stops_and_keeps_the_checkpoint_before(monkeypatch: pytest.MonkeyPatch) -> None:
    forward = Model.forward

    def sicken(self: Model, x: torch.Tensor, labels: torch.Tensor, step: int | None = None) -> Objective:
        terms, logged, _ = forward(self, x, labels, step)
        return Objective(terms, {"rate": logged["rate"] * (1 if self.training else float("inf"))})

    monkeypatch.setattr(Model, "forward", sicken)
    with pytest.raises(UserError, match=r"epoch 1, in validation: .*validation_rate -?inf"):
        run("sick")
    assert Checkpoints("sick", {}).latest(4) is None


def test_a_last_batch_of_one_image_joins_the_one_before() -> None:
    batches = Batches(split(33), FACTS, 16)
    assert [len(x) for x, _ in batches.shuffled(0)] == [16, 17] and len(batches) == 2


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


def test_against_an_adversary_the_last_weights_are_kept() -> None:
    """The objective is lowest where the adversary errs most: a validation that chose by it would choose by that."""
    model, rows = run("factor", variant=FACTOR, epochs=3, patience=1, learning_rate=0.1)
    objectives = [row["validation_objective"] for row in rows]
    assert len(rows) == 3 and objectives.index(min(objectives)) == 0
    state = Checkpoints("factor", {}).latest(3)
    assert state is not None
    assert all(torch.equal(weight, model.state_dict()[name]) for name, weight in state["model"].items())


def test_an_adversary_whose_weights_alone_diverge_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_an_adversary_that_diverges_is_named_and_the_last_good_checkpoint_kept(monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_an_adversary_that_runs_away_without_an_infinity_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
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
    with pytest.raises(
        UserError, match=r"epoch 3, in the mean: .*worse than chance, 0.69 nats; checkpoints up to epoch 2"
    ):
        run("lost", variant=FACTOR)


def test_a_flow_that_diverges_is_named_and_the_last_good_checkpoint_kept(monkeypatch: pytest.MonkeyPatch) -> None:
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


MIXTURE = {"condition": None, "prior": {"name": "standard"}, "density": {"name": "gaussian_mixture", "components": 2}}
CODES = {
    "network": {"name": "conv", "width": 4, "depth": 2}, "condition": {"embedding": None, "encoder": False, "decoder": False},
    "posterior": {"name": "vector_quantized", "codes": 6}, "prior": {"name": "uniform"}, "regularizer": {"name": "commitment"},
    "density": {"name": "pixelcnn", "width": 4, "layers": 2, "epochs": 4},
}  # fmt: skip


@pytest.mark.parametrize("variant", [MIXTURE, CODES], ids=["vectors", "codes"])
def test_a_killed_fit_of_a_density_ends_in_the_bytes_of_an_undisturbed_one(
    variant: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fitted(name: str) -> tuple[Model, list[float]]:
        model, _ = run("same", variant=variant)
        return model, fit_density(model, Batches(split(40), FACTS, 16), 0, Checkpoints(name, {}))

    whole, losses = fitted("whole")
    write = Checkpoints.write

    def write_and_die(self: Checkpoints, epoch: int, state: Any, finished: bool) -> None:
        write(self, epoch, state, finished)
        raise Killed

    for _ in range(2 if len(losses) > 1 else 1):
        with monkeypatch.context() as patch, pytest.raises(Killed):
            patch.setattr(Checkpoints, "write", write_and_die)
            fitted("killed")
    again, losses_again = fitted("killed")
    assert same(whole, again) and losses == losses_again
    assert len(losses) == (4 if variant is CODES else 1)
