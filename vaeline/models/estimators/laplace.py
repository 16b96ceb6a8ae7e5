"""Importance sampling of log p(x) around the modes of p(z|x): Laplace's method, made exact by weights.

The proposal of each image is a mixture of Student t's at its modes. Its weights are far more equal than those of q(z|x), whose
covariance is amortised and, for most models, diagonal.
"""

from collections.abc import Sequence
from math import log, pi

import torch
from torch import Tensor

from vaeline.metrics._trust import is_trusted
from vaeline.models.estimators.joint_density import JointDensity
from vaeline.models.estimators.log_likelihood import LogLikelihood
from vaeline.models.estimators.posterior_modes import SAME, Modes, climb
from vaeline.models.estimators.student_mixture import StudentMixture

HELD_DRAWS = 2**18  # elements of draws in memory at a time
MORE = 10  # times the samples, where the first do not suffice
RESTARTS = 2  # beside the start at the encoder's centre
FARTHEST_BELOW = 10.0  # nats below the best mode: a lower one holds nothing that counts


def importance_sampled(density: JointDensity, proposal: StudentMixture, samples: int) -> LogLikelihood:
    """Estimate log p(x|y) of each image, (images,), by `samples` draws of its proposal, and by 10 times as many where these do not suffice."""
    weights = log_weights(density, proposal, samples)
    found = LogLikelihood.of_weights(weights)
    rows = (~is_trusted(found)).nonzero().squeeze(1)
    if len(rows):
        some = rows.to(weights.device)
        more = log_weights(density.of(some), proposal.of(some), (MORE - 1) * samples)
        found.put((rows,), LogLikelihood.of_weights(torch.cat([weights[:, some], more])))
    return found


def log_weights(density: JointDensity, proposal: StudentMixture, samples: int, stratified: bool = True) -> Tensor:
    """log p(x, z|y) - log proposal(z) of draws of the proposal: (samples, images), float64."""
    weights, most = [], max(1, HELD_DRAWS // proposal.centre[0].numel())
    for start in range(0, samples, most):
        z = proposal.sample(min(most, samples - start), stratified)
        weights.append(density.log_prob(z) - proposal.log_prob(z))
    return torch.cat(weights)


def proposal_of(density: JointDensity) -> StudentMixture:
    """A proposal from the encoder's centre and two restarts."""
    return proposal(density, [density.centre(), *restarts(density)])


def restarts(density: JointDensity) -> list[Tensor]:
    """Other starts, (images, latent) each: draws of the prior, or the likeliest components of a prior that is a mixture."""
    centres = density.prior.centres()
    if centres is None:
        draws = (density.prior.sample(len(density), density.condition) for _ in range(RESTARTS))
        return [each.to(density.x) for each in draws]
    centres = centres.to(density.x)
    each = density.log_prob(centres.unsqueeze(1).expand(-1, len(density), -1))
    return [centres[rows] for rows in each.topk(min(RESTARTS, len(centres)), 0).indices]


def proposal(density: JointDensity, starts: Sequence[Tensor]) -> StudentMixture:
    """Climb from several z of each image, (images, latent) each, and put a Student t at each distinct mode."""
    first, *others = starts
    found = climb(density, first)
    if others:
        rows = torch.arange(len(density), device=density.x.device).repeat(len(others))
        more = climb(density.of(rows), torch.cat(others), found.of(rows))
        found = Modes(*(torch.cat(both) for both in zip(found, more, strict=True)))
    modes = Modes(*(field.unflatten(0, (len(starts), len(density))) for field in found))
    return StudentMixture.around(modes.z, modes.log_prob.masked_fill(~_distinct(modes), -torch.inf), modes.curvature)


def approximate(density: JointDensity) -> Tensor:
    """Laplace's approximation of log p(x|y) at the mode near the encoder's centre, without samples: nats, (images,), float64."""
    modes = climb(density, density.centre())
    found = StudentMixture.around(modes.z.unsqueeze(0), modes.log_prob.unsqueeze(0), modes.curvature.unsqueeze(0))
    volume = found.factor.diagonal(dim1=-2, dim2=-1).double().log().sum(-1)[0]
    return modes.log_prob + 0.5 * modes.z.shape[1] * log(2 * pi) - volume


def _distinct(modes: Modes) -> Tensor:
    """Which modes to keep, (starts, images): of those that are the same the highest, and none far below the best."""
    keep = modes.log_prob > modes.log_prob.amax(0) - FARTHEST_BELOW
    for one in range(len(keep)):
        for other in range(len(keep)):
            apart = modes.of(torch.tensor(other)).apart(modes.z[one])
            higher = (modes.log_prob[other] > modes.log_prob[one]) | (
                (modes.log_prob[other] == modes.log_prob[one]) & (other < one)
            )
            keep[one] &= ~(higher & keep[other] & (apart < SAME))
    return keep
