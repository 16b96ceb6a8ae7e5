"""Runs draw numbers of their own, on images that they share."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from vaeline.data.batches import Batches
from vaeline.data.facts import Facts
from vaeline.data.store import Split
from vaeline.evaluation.draws import seed_of_images, seed_of_run
from vaeline.evaluation.latents import measure_latents
from vaeline.evaluation.likelihood import measure_likelihood
from vaeline.evaluation.record import Record
from vaeline.evaluation.representation import measure_representation
from vaeline.models.model import Model
from vaeline.study.schema import Evaluation, Variant

FACTS = Facts("levels", (1, 2, 2), 4, (-1.0, 1.0), ["half"], [["left", "right"]], counts={"train": 60, "test": 40})
FACTORS = replace(FACTS, factors=True)
SETTINGS = Evaluation.model_validate(
    {"likelihood": {"samples": 20, "budget": 50}, "bound_samples": 2, "images": 8, "features": {"name": "classifier"}}
)
ENTRY: dict[str, Any] = {
    "network": {"name": "mlp", "widths": [4]}, "latent": 2, "condition": None, "posterior": {"name": "gaussian"},
    "prior": {"name": "standard"}, "likelihood": {"name": "unit_gaussian"}, "regularizer": {"name": "kl"},
}  # fmt: skip
POINT = {"posterior": {"name": "deterministic"}, "regularizer": {"name": "none"}}

pytestmark = pytest.mark.filterwarnings("ignore::vaeline.metrics.nll.Unconverged")


def batches(count: int, seed: int) -> Batches:
    generator = np.random.default_rng(seed)
    images = generator.integers(0, 4, (count, 1, 2, 2), dtype=np.uint8)
    return Batches(Split(images, generator.integers(0, 2, (count, 1)), [""] * count), FACTORS, 16)


def measured(run_seed: int, **changes: Any) -> Record:
    """The record of a run whose weights do not depend on its seed."""
    torch.manual_seed(3)
    model = Model(Variant.model_validate({**ENTRY, **changes}), FACTORS).eval()
    train, test = batches(60, 1), batches(40, 2)
    record = measure_likelihood(model, train, test, SETTINGS, run_seed=run_seed)
    record.join(measure_latents(model, train, test, 0, run_seed=run_seed))
    record.join(measure_representation(model, train, test, 0, run_seed=run_seed))
    return record


def test_each_run_draws_numbers_of_its_own() -> None:
    one, again, other = measured(0), measured(0), measured(1)
    assert one.evaluation == again.evaluation
    drawn = ["negative_elbo", "nll", "nll_refit", "mutual_information", "skl", "leaked_share_standard_error", "mig"]
    assert all(one.metrics[name] != other.metrics[name] for name in drawn)


def test_all_runs_are_measured_on_the_same_images() -> None:
    """Without draws of z, all that test images decide is equal to the last digit: the noise that dequantizes them is shared."""
    one, other = (measured(seed, **POINT) for seed in (0, 1))
    assert one.evaluation["distortion"] == other.evaluation["distortion"]
    one, other = measured(0), measured(1)
    assert one.evaluation["active_units"] == other.evaluation["active_units"]
    assert one.evaluation["nll"]["images"] == other.evaluation["nll"]["images"]


def test_the_seeds_of_runs_and_images_never_coincide() -> None:
    found = {seed_of_run(seed, run) for seed in range(3) for run in range(3)} | {seed_of_images(0), seed_of_images(1)}
    assert len(found) == 11
