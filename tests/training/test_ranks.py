"""Two processes that share each batch train what one does, to rounding: every part of every family, and what couples images."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.models.test_contracts import CASES, model_of
from tests.training import tiny
from tests.training.test_adversary import PATCHES
from tests.training.two_ranks import EPS, Case, Ended, by_two, difference, ended

# Of a weight, relative to the largest of its tensor; a batch that is not shared right is off by 4e-3 to 1.
TOLERANCE = 2e-5
# In 64 bits its gradients agree to 2e-6; in 32 bits some of its half a million rectified numbers lie so near to 0 that they change sides.
ROUNDED = {"networks dpvae_celeba 0": 2e-3}
FAMILIES = ("networks", "posteriors", "priors", "likelihoods", "regularizers", "bounds", "label_encoders")
SETTINGS: dict[str, Any] = {
    "epochs": 2, "learning_rate": 0.01, "batch_size": 5, "eps": EPS, "device": "cpu", "flip": True, "rotation": 5.0,
}  # fmt: skip
# Batches of 5, 5, 4 images, and of 5 and 1: uneven, and too small to share.
COUNTS = {"train": 14, "validation": 6, "test": 4}
# Batch normalisation of two or three numbers would enlarge rounding, and so would gradients far above EPS, as those of large images are.
EVEN, FLAT = {"train": 16, "validation": 8, "test": 4}, {"name": "fixed_sigma", "sigma": 30.0}
CODES: dict[str, Any] = {
    "network": {"name": "conv", "width": 4, "depth": 2}, "condition": None, "likelihood": {"name": "fixed_sigma"},
    "prior": {"name": "uniform"}, "regularizer": {"name": "commitment", "codebook": 0.0},
}  # fmt: skip
COUPLED: dict[str, dict[str, Any]] = {
    "a codebook of averages": {
        **CODES, "posterior": {"name": "vector_quantized", "codes": 9, "update": "average", "stages": 2, "restart": 0.5},
    },
    "a sum": {**PATCHES, "likelihood": {"name": "optimal_sigma"}},
    "an aggregate covariance": {"regularizer": {"name": "dip", "covariance": "aggregate"}},
    "a rate below its capacity": {"regularizer": {"name": "capacity", "steps": 3}, "prior": {"name": "standard"}},
    "a discrepancy from a mixture": {"regularizer": {"name": "mmd"}, "prior": {"name": "mixture"}, "condition": None},
    "a discrepancy given labels": {"regularizer": {"name": "mmd"}},
    "pseudo-inputs": {
        "prior": {"name": "vamp", "pseudo_inputs": 4}, "condition": None, "regularizer": {"name": "total_correlation"},
    },
    "a normalised decoder of several samples": {
        "network": {"name": "conv", "width": 4, "depth": 2}, "bound": {"name": "importance_weighted", "samples": 3},
        "regularizer": {"name": "none"}, "prior": {"name": "standard"},
    },
}  # fmt: skip
RECIPES: dict[str, dict[str, Any]] = {
    "clipped": {"gradient_clip": 1.0}, "noisy": {"gradient_noise": 0.1}, "averaged": {"weight_average": 0.9},
    "adamax": {"optimizer": "adamax"},
}  # fmt: skip
FACTOR = {"regularizer": {"name": "factor", "width": 8, "depth": 2}}


def cases() -> Iterator[Case]:
    for family, name, place in CASES:
        if family in FAMILIES:
            model, facts = model_of(family, name, place)
            variant, normed = model.variant.model_dump(mode="json"), family == "networks"
            counts, size = (EVEN, 8) if normed else (COUNTS, 5)
            variant |= {"likelihood": FLAT} if normed else {}
            yield Case(
                f"{family} {name} {place}", variant, asdict(facts) | {"counts": counts}, SETTINGS | {"batch_size": size}
            )
    facts = asdict(tiny.FACTS) | {"counts": COUNTS}
    for name, variant in COUPLED.items():
        yield Case(name, tiny.VARIANT | variant, facts, SETTINGS)
    for name, settings in RECIPES.items():
        yield Case(name, tiny.VARIANT | FACTOR, facts, SETTINGS | settings)


RESUMED = [
    Case(name, tiny.VARIANT | FACTOR, asdict(tiny.FACTS) | {"counts": COUNTS}, SETTINGS | {"epochs": 3, "weight_average": 0.9}, killed)
    for name, killed in (("whole", 0), ("whole again", 0), ("killed", 1))
]  # fmt: skip
ALL = list(cases())


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ended]:
    """All cases by the same two processes, since to start a process takes as long as to train many."""
    return by_two([*ALL, *RESUMED], tmp_path_factory.mktemp("shared"))


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name.replace(" ", "-"))
def test_two_processes_train_what_one_does(case: Case, shared: dict[str, Ended], tmp_path: Path) -> None:
    torch.set_num_threads(1)
    alone, together = ended(case), shared[case.name]
    assert difference(alone.weights, together.weights) < ROUNDED.get(case.name, TOLERANCE)
    for one, other in zip(alone.rows, together.rows, strict=True):
        assert one == pytest.approx(other, rel=1e-4, abs=1e-3)


def test_two_processes_end_in_the_same_bytes_also_if_they_are_killed(shared: dict[str, Ended]) -> None:
    whole, again, killed = (shared[case.name] for case in RESUMED)
    assert whole.rows == again.rows == killed.rows
    for name, weight in whole.weights.items():
        assert torch.equal(weight, again.weights[name]) and torch.equal(weight, killed.weights[name])
