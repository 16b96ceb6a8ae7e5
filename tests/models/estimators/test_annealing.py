"""Annealed likelihoods against those that are known."""

from dataclasses import replace
from math import sqrt

import pytest
import torch

from tests.models.estimators.known_models import (
    IMAGES,
    LinearGaussian,
    errors_of,
    mean_of,
)
from vaeline.models.estimators import laplace
from vaeline.models.estimators.annealing import Pilot
from vaeline.models.estimators.student_mixture import StudentMixture


# Between 4 temperatures, each step holds much of the likelihood, which one left out would miss.
@pytest.mark.parametrize(("temperatures", "chains", "shift", "narrower"), [(32, 256, 0.1, 0.7), (4, 4000, 0.1, 1.0)])
def test_chains_of_a_linear_gaussian_model_average_to_its_likelihood_from_both_ends(
    temperatures: int, chains: int, shift: float, narrower: float
) -> None:
    model = LinearGaussian(4)
    torch.manual_seed(0)
    proposal = laplace.proposal(model.density, [torch.zeros_like(model.z)])
    wide = StudentMixture(
        proposal.centre + shift, narrower * proposal.factor, proposal.log_weight
    )  # one that needs the chains
    annealing = Pilot.run(model.density, wide).with_temperatures(temperatures, torch.arange(IMAGES))
    up = annealing.log_weights(chains)
    noise = torch.randn(chains, IMAGES, 4)
    exact = model.mean + torch.linalg.solve(torch.linalg.cholesky(model.precision).T, noise.mT).mT
    down = -annealing.log_weights_back(exact)
    for found, sign in ((up, 1), (down, -1)):
        off = (sign * mean_of(found) - model.log_prob) / errors_of(found)
        assert off.abs().max() < 4.5
        assert off.mean().abs() < 4 / sqrt(IMAGES)
        assert errors_of(found).max() < 0.3


def pilot_from(shift: float) -> Pilot:
    """Chains from a proposal that lies off by `shift` in each dimension."""
    model = LinearGaussian(4)
    torch.manual_seed(0)
    exact = laplace.proposal(model.density, [torch.zeros_like(model.z)])
    off = StudentMixture(exact.centre + shift, exact.factor, exact.log_weight)
    return Pilot.run(model.density, off)


def test_a_worse_proposal_gets_more_temperatures() -> None:
    close, far, farther = (pilot_from(shift).needed.double().mean() for shift in (0.0, 0.1, 0.3))
    assert 4 <= close < far < farther


def test_chains_that_turn_out_ineffective_are_drawn_again() -> None:
    """With too few temperatures at first, each image gets twice as many until half of its chains count."""
    pilot = pilot_from(0.3)
    found = list(replace(pilot, needed=torch.full((IMAGES,), 4)).effective())
    rows = torch.cat([chains.rows for chains in found])
    assert sorted(rows.tolist()) == list(range(IMAGES))
    counts = {len(chains.annealing.steps): len(chains.rows) for chains in found}
    assert set(counts) <= {4, 8, 16, 32, 64, 128, 256} and counts.get(4, 0) < IMAGES
    for chains in found:
        if len(chains.annealing.steps) < 256 and len(chains.rows):
            share = (2 * chains.log_weights.logsumexp(0) - (2 * chains.log_weights).logsumexp(0)).exp() / 16
            assert (share >= 0.5).all()
    assert sum(chains.temperatures for chains in found) > sum(count * number for count, number in counts.items())
