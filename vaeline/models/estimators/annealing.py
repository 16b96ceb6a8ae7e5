"""Annealed importance sampling (Neal, 2001) of log p(x), from a proposal to the posterior by Hamiltonian moves.

The densities between are proposal^(1 - t) p(x, z)^t for t from 0 to 1. Each move leaves its density unchanged, so that the mean of
the weights is p(x), however short the chains are.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from vaeline.metrics._trust import LEAST_SHARE
from vaeline.models.estimators.joint_density import JointDensity
from vaeline.models.estimators.student_mixture import StudentMixture

LEAPFROGS = 3
ACCEPTED = 0.7  # share of moves that the pilot aims at
PILOT_CHAINS, PILOT_TEMPERATURES = 8, 16
LARGEST_STEP = 1.5
CHAINS = 16
FEWEST_TEMPERATURES, MOST_TEMPERATURES = 4, 256
MORE_TEMPERATURES = 2  # times as many, for chains that are less effective than the pilot promised
WANTED = 0.5  # variance of a chain's log-weight, at which about 0.6 of the chains are effective
OF_MEMORY = 2.5  # variance of a log-weight over the sum of those of its steps, since a chain remembers its last step
OF_GRADIENT = 3  # a gradient costs about three evaluations of the decoder


def temperatures(count: int) -> Tensor:
    """`count` + 1 values from 0 to 1, closer together at both ends: a sigmoid, (count + 1,), float64."""
    values = torch.linspace(-4, 4, count + 1, dtype=torch.float64).sigmoid()
    return (values - values[0]) / (values[-1] - values[0])


@dataclass(frozen=True)
class Annealing:
    """Chains between the proposal and the posterior of some images.

    Args:
        density: log p(x, z).
        proposal: a mixture around the modes.
        steps: of the leapfrogs at each temperature, (temperatures, images), which no chain of an estimate may change.
    """

    density: JointDensity
    proposal: StudentMixture
    steps: Tensor

    def of(self, rows: Tensor) -> "Annealing":
        """The same for some of the images: indices or a mask."""
        return Annealing(self.density.of(rows), self.proposal.of(rows), self.steps[:, rows])

    def log_weights(self, chains: int) -> Tensor:
        """Weights of independent chains that start in the proposal, (chains, images); the mean of exp is p(x)."""
        state = self.start(chains)
        times = temperatures(len(self.steps)).tolist()
        total = torch.zeros_like(state.log_joint)
        for step, (before, after) in zip(self.steps, pairwise(times), strict=True):
            total += (after - before) * (state.log_joint - state.log_proposal)
            if after < 1:
                state, _ = self.move(state, after, step)
        return total

    def log_weights_back(self, z: Tensor) -> Tensor:
        """Weights of chains that run backwards from draws of the posterior, (chains, images, latent): (chains, images)."""
        state = self._at(z)
        times = temperatures(len(self.steps)).tolist()
        total = torch.zeros_like(state.log_joint)
        for step, before, after in zip(self.steps.flip(0), times[-2::-1], times[:0:-1], strict=True):
            if after < 1:
                state, _ = self.move(state, after, step)
            total += (after - before) * (state.log_joint - state.log_proposal)
        return total

    def start(self, chains: int) -> "_State":
        """Independent draws of the proposal."""
        return self._at(self.proposal.sample(chains, stratified=False))

    def move(self, state: "_State", time: float, step: Tensor) -> "tuple[_State, Tensor]":
        """One Hamiltonian move that leaves the density at a time unchanged; and the share accepted, (images,)."""
        best = self.proposal.log_weight.argmax(0)
        factor = self.proposal.factor[best, torch.arange(len(best), device=best.device)]
        step = step.to(state.z.dtype).unsqueeze(-1)

        def whitened(gradient: Tensor) -> Tensor:  # of z to that of factor' z: solve factor g' = g
            return torch.linalg.solve_triangular(factor, gradient.unsqueeze(-1), upper=False).squeeze(-1)

        def moved(momentum: Tensor) -> Tensor:
            return torch.linalg.solve_triangular(factor.mT, momentum.unsqueeze(-1), upper=True).squeeze(-1)

        momentum = torch.randn_like(state.z)
        energy = state.at(time) - 0.5 * momentum.double().square().sum(-1)
        new = state
        momentum = momentum + step / 2 * whitened(new.gradient(time))
        for leap in range(LEAPFROGS):
            new = self._at(new.z + step * moved(momentum))
            share = step if leap < LEAPFROGS - 1 else step / 2
            momentum = momentum + share * whitened(new.gradient(time))
        change = new.at(time) - 0.5 * momentum.double().square().sum(-1) - energy
        probability = change.exp().clamp(max=1).nan_to_num(0)
        accept = torch.rand_like(probability) < probability
        return new.where(accept, state), probability.mean(0)

    def _at(self, z: Tensor) -> "_State":
        log_joint, of_joint = self.density.log_prob_and_gradient(z)
        log_proposal, of_proposal = self.proposal.log_prob_and_gradient(z)
        return _State(z, log_joint, log_proposal, of_joint, of_proposal)


class Chains(NamedTuple):
    """Chains of some images.

    Args:
        rows: indices of the images among those of the pilot.
        annealing: that made the chains.
        log_weights: (chains, images).
        temperatures: that were passed, of all images together, those of failed chains too.
    """

    rows: Tensor
    annealing: Annealing
    log_weights: Tensor
    temperatures: int


@dataclass(frozen=True)
class Pilot:
    """A few chains that find the steps, and the number of temperatures, of others. They take no part in an estimate.

    Args:
        annealing: with steps at a few temperatures.
        needed: how many temperatures, a power of 2, each image needs for chains that are about half effective, (images,).
    """

    annealing: Annealing
    needed: Tensor

    @classmethod
    def run(cls, density: JointDensity, proposal: StudentMixture) -> "Pilot":
        """Move from the proposal to the posterior once, with steps that follow the share of moves that is accepted."""
        first = 1.2 * proposal.centre.shape[-1] ** -0.25  # about the best for a Gaussian (Neal, 2011)
        step = torch.full((len(density),), first, dtype=torch.float64, device=proposal.centre.device)
        chains = Annealing(density, proposal, step.expand(PILOT_TEMPERATURES, -1))
        state, variance, steps = chains.start(PILOT_CHAINS), torch.zeros_like(step), []
        for before, after in pairwise(temperatures(PILOT_TEMPERATURES).tolist()):
            variance = variance + ((after - before) * (state.log_joint - state.log_proposal)).var(0)
            state, accepted = chains.move(state, after, step)
            step = (step * (accepted - ACCEPTED).exp()).clamp(1e-4, LARGEST_STEP)
            steps.append(step)
        variance = (OF_MEMORY * variance).nan_to_num(torch.inf, torch.inf)
        needed = (PILOT_TEMPERATURES * variance / WANTED).clamp(FEWEST_TEMPERATURES, MOST_TEMPERATURES)
        return cls(Annealing(density, proposal, torch.stack(steps)), 2 ** needed.log2().ceil().long())

    def with_temperatures(self, count: int, rows: Tensor) -> Annealing:
        """Chains of some of the images, indices, with any number of temperatures."""
        places = torch.linspace(0, PILOT_TEMPERATURES - 1, count).round().long()
        pilot = self.annealing
        return Annealing(pilot.density, pilot.proposal, pilot.steps[places]).of(rows)

    def effective(self) -> Iterator[Chains]:
        """Chains of each image, with as many temperatures as it needs for half of the chains to be effective.

        Images whose chains are less effective than the pilot promised get new chains with twice as many temperatures.
        """
        needed, left = self.needed.clone(), torch.arange(len(self.needed), device=self.needed.device)
        while len(left):
            again = []
            for count in needed[left].unique().tolist():
                rows = left[needed[left] == count]
                annealing = self.with_temperatures(count, rows)
                weights = annealing.log_weights(CHAINS)
                fails = (_effective_share(weights) < LEAST_SHARE) & (count < MOST_TEMPERATURES)
                yield Chains(rows[~fails], annealing.of(~fails), weights[:, ~fails], count * len(rows))
                again.append(rows[fails])
            left = torch.cat(again)
            needed[left] = (MORE_TEMPERATURES * needed[left]).clamp_max(MOST_TEMPERATURES)


def _effective_share(log_weights: Tensor) -> Tensor:
    return (2 * log_weights.logsumexp(0) - (2 * log_weights).logsumexp(0)).exp() / len(log_weights)


@dataclass(frozen=True)
class _State:
    z: Tensor  # (chains, images, latent)
    log_joint: Tensor  # (chains, images), float64
    log_proposal: Tensor
    of_joint: Tensor  # gradient, (chains, images, latent)
    of_proposal: Tensor

    def at(self, time: float) -> Tensor:
        return (1 - time) * self.log_proposal + time * self.log_joint

    def gradient(self, time: float) -> Tensor:
        return (1 - time) * self.of_proposal + time * self.of_joint

    def where(self, accept: Tensor, other: "_State") -> "_State":
        wide = accept.unsqueeze(-1)
        return _State(
            torch.where(wide, self.z, other.z),
            torch.where(accept, self.log_joint, other.log_joint),
            torch.where(accept, self.log_proposal, other.log_proposal),
            torch.where(wide, self.of_joint, other.of_joint),
            torch.where(wide, self.of_proposal, other.of_proposal),
        )
