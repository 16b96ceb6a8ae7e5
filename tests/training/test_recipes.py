"""What a recipe sets: learning rates, optimizers, averages of weights, noise on gradients, initial weights."""

import math
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from torch import nn

from tests.training.tiny import FACTS, VARIANT
from vaeline.data.facts import Facts
from vaeline.study.recipe import Recipe
from vaeline.study.schema import Training, Variant
from vaeline.training.job import fresh_model, what_decides
from vaeline.training.learning_rate import learning_rate
from vaeline.training.optimizers import optimizer_of
from vaeline.training.step import stepper
from vaeline.training.weight_average import WeightAverage

STEPS = 5  # of an epoch


def training(**settings: Any) -> Training:
    return Training.model_validate({"epochs": 4, "learning_rate": 0.5, **settings})


def rates(**settings: Any) -> list[float]:
    return [learning_rate(training(**settings), step, STEPS) for step in range(1, 4 * STEPS + 1)]


def test_the_learning_rate_rises_linearly_and_stays() -> None:
    assert rates(warmup=4)[:6] == [0.125, 0.25, 0.375, 0.5, 0.5, 0.5]


def test_the_learning_rate_falls_at_milestones() -> None:
    assert rates(milestones=[1, 3], decay=0.5) == [0.5] * 5 + [0.25] * 10 + [0.125] * 5


def test_the_cosine_starts_at_the_learning_rate_and_ends_after_the_last_step() -> None:
    found = rates(schedule="cosine")
    assert found[0] == 0.5 and found[10] == pytest.approx(0.25)
    assert found[-1] == pytest.approx(0.25 * (1 - math.cos(math.pi / 20)))
    assert learning_rate(training(schedule="cosine"), 21, STEPS) == 0


def moved(gradient: float = 2.0, **settings: Any) -> float:
    """How far one step takes a weight of 1."""
    weight = nn.Parameter(torch.ones(1))
    weight.grad = torch.full((1,), gradient)
    optimizer_of([weight], training(**settings)).step()
    return 1 - weight.item()


def test_optimizers_take_the_steps_of_their_papers() -> None:
    """After one step, corrected moments are g and g^2."""
    assert moved(eps=1.0) == pytest.approx(0.5 * 2 / (2 + 1.0))
    assert moved(optimizer="adamax", eps=0.1) == pytest.approx(0.5 * 2 / (2 + 0.1), rel=1e-6)
    assert moved(0.0, weight_decay=0.1) == pytest.approx(0.5)  # the decay is a gradient, of which Adam takes the sign
    assert moved(0.0, optimizer="adamw", weight_decay=0.1) == pytest.approx(0.5 * 0.1)


def test_an_average_forgets_its_start_and_follows_its_decay() -> None:
    model = nn.Linear(1, 1)
    model.register_buffer("steps", torch.tensor(0))
    average = WeightAverage(model, 0.25)
    for step, value in enumerate((3.0, 7.0, 5.0, 1.0, 0.0), 1):
        nn.init.constant_(model.weight, value)
        model.get_buffer("steps").fill_(step)
        average.update(step)
    expected = 3.0
    for decay, value in ((1 / 11, 7.0), (2 / 12, 5.0), (3 / 13, 1.0), (0.25, 0.0)):
        expected = decay * expected + (1 - decay) * value
    assert average.weights["weight"].item() == pytest.approx(expected)
    assert average.weights["steps"] == 5
    with average.in_place():
        assert model.weight.item() == pytest.approx(expected)
    assert model.weight.item() == 0
    with pytest.raises(KeyboardInterrupt), average.in_place():
        raise KeyboardInterrupt
    assert model.weight.item() == 0


def gradient(step: int, **settings: Any) -> torch.Tensor:
    """The gradient of all weights that a step of this number leaves."""
    model = fresh_model(Recipe(Variant.model_validate(VARIANT), training()), FACTS, 0)
    take = stepper(model, training(**settings), Fabric(accelerator="cpu", devices=1))
    torch.manual_seed(0)
    take(torch.zeros(4, 1, 8, 8), torch.zeros(4, 1, dtype=torch.int64), step)
    return torch.cat([weight.grad.flatten() for weight in model.trained_jointly() if weight.grad is not None])


def test_the_noise_on_gradients_has_its_variance() -> None:
    noise = gradient(16, gradient_noise=4.0) - gradient(16)
    assert len(noise) > 3000
    assert noise.var().item() == pytest.approx(4.0 / 16**0.55, rel=0.1)


def test_glorot_draws_encoder_and_decoder_anew() -> None:
    variant = Variant.model_validate(VARIANT | {"network": {"name": "mlp", "widths": [256]}})
    usual, glorot = (
        fresh_model(Recipe(variant, training(initialisation=start)), FACTS, 0) for start in ("parts", "glorot")
    )
    layers = [layer for layer in glorot.network.modules() if isinstance(layer, nn.Linear)]
    assert len(layers) == 4
    for layer in layers:
        assert layer.weight.var().item() == pytest.approx(2 / sum(layer.weight.shape), rel=0.2)
        assert not layer.bias.any()
    for one, other in zip(usual.prior.parameters(), glorot.prior.parameters(), strict=True):
        assert torch.equal(one, other)


def decided(facts: Facts = FACTS, **settings: Any) -> dict[str, object]:
    """What decides a training whose variant has `settings` of its own."""
    variant = Variant.model_validate(VARIANT | {"training": settings})
    return what_decides(Recipe(variant, training(**settings)), facts, "code", 0, torch.device("cpu"))


def test_a_longer_training_continues_unless_its_learning_rate_differs() -> None:
    assert decided() == decided(epochs=8)
    assert decided(schedule="cosine") != decided(schedule="cosine", epochs=8)


def test_a_key_that_a_variant_repeats_changes_no_training() -> None:
    assert decided() == decided(learning_rate=0.5) != decided(learning_rate=0.1)
