"""Validation: the objective, sigma, and numbers that are not finite."""

from typing import Any

import pytest
import torch

from tests.training.tiny import FACTS, run, split
from vaeline.data.batches import Batches
from vaeline.models.calibration import mean_error
from vaeline.models.contracts import Objective
from vaeline.models.flows import affine_coupling
from vaeline.models.model import Model
from vaeline.system.errors import UserError
from vaeline.training.checkpoints import Checkpoints


def test_the_objective_is_weighted_but_validation_is_not() -> None:
    _, rows = run("terms")
    for row in rows:
        assert row["objective"] == pytest.approx(row["distortion"] + row["kl"], rel=1e-5)
        assert row["validation_negative_elbo"] == row["validation_distortion"] + row["validation_rate"]
        assert row["validation_objective"] == pytest.approx(row["validation_negative_elbo"], rel=1e-5)
    assert rows[0]["kl"] < rows[0]["rate"]  # its weight was still rising


def test_a_prior_with_overflowing_samples_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_sigma_is_fitted_to_the_training_split() -> None:
    model, _ = run("sigma")
    measured = mean_error(model.eval(), Batches(split(40), FACTS, 16), seed=7) ** 0.5
    assert float(model.likelihood.sigma) == pytest.approx(measured, rel=0.05)


def test_a_nonfinite_validation_keeps_the_previous_checkpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    forward = Model.forward

    def sicken(self: Model, x: torch.Tensor, labels: torch.Tensor, step: int | None = None) -> Objective:
        terms, logged, _ = forward(self, x, labels, step)
        return Objective(terms, {"rate": logged["rate"] * (1 if self.training else float("inf"))})

    monkeypatch.setattr(Model, "forward", sicken)
    with pytest.raises(UserError, match=r"epoch 1, in validation: .*validation_rate -?inf"):
        run("sick")
    assert Checkpoints("sick", {}).latest(4) is None
