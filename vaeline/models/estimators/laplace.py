"""Importance sampling of log p(x) around the modes of p(z|x): Laplace's method, made exact by weights.

The proposal of each image is a mixture of Student t's at its modes. Its weights are far more equal than those of q(z|x), whose
covariance is amortised and, for most models, diagonal.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from vaeline.metrics._trust import is_trusted
from vaeline.models.estimators.joint_density import JointDensity
from vaeline.models.estimators.log_likelihood import LogLikelihood
from vaeline.models.estimators.posterior_modes import Modes, climb
from vaeline.models.estimators.student_mixture import StudentMixture
from vaeline.models.gaussian import LOG_TWO_PI

HELD_DRAWS = 2**18  # elements of draws in memory at a time
MORE = 5  # times the samples, where the first do not suffice
RESTARTS = 2  # beside the start at the encoder's centre
DRAWS_EACH = 16  # of the prior, the likeliest of which is a start
FARTHEST_BELOW = 10.0  # nats below the best mode: a lower one holds nothing that counts


def importance_sampled(density: JointDensity, proposal: StudentMixture, samples: int) -> LogLikelihood:
    """Estimate log p(x|y) of each image, (images,), by `samples` draws of its proposal, and by 5 times as many where these do not suffice."""
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


def restarts(density: JointDensity, count: int = RESTARTS) -> list[Tensor]:
    """Other starts, (images, latent) each: the likeliest of a few draws of the prior, or of the components of a prior that is a mixture."""
    centres = density.prior.centres()
    if centres is None:
        return [_likeliest(density, _drawn(density, DRAWS_EACH), 1)[0] for _ in range(count)]
    centres = centres.to(density.x).unsqueeze(1).expand(-1, len(density), -1)
    return list(_likeliest(density, centres, min(count, len(centres))))


def _drawn(density: JointDensity, count: int) -> Tensor:
    draws = (density.prior.sample(len(density), density.condition) for _ in range(count))
    return torch.stack([each.to(density.x) for each in draws])


def _likeliest(density: JointDensity, z: Tensor, count: int) -> Tensor:
    """Those of several z of each image, (any, images, latent), with the highest p(x, z): (count, images, latent)."""
    best = density.log_prob(z).topk(count, 0).indices
    return z[best, torch.arange(len(density), device=z.device)]


def proposal(density: JointDensity, starts: Sequence[Tensor]) -> StudentMixture:
    """Climb from several z of each image, (images, latent) each, and put a Student t at each distinct mode.

    The first two climb with a curvature of their own, since the first may end in a poor mode whose curvature would lead others to it, and
    the others with that of the better mode.
    """
    modes = _climbed(density, starts[:2])
    if others := starts[2:]:
        best, rows = modes.log_prob.argmax(0), torch.arange(len(density), device=density.x.device)
        more = _climbed(density, others, Modes(*(field[best, rows] for field in modes)))
        modes = Modes(*(torch.cat(both) for both in zip(modes, more, strict=True)))
    return StudentMixture.around(modes.z, modes.log_prob.masked_fill(~_distinct(modes), -torch.inf), modes.curvature)


def _climbed(density: JointDensity, starts: Sequence[Tensor], beside: Modes | None = None) -> Modes:
    """Modes from each start, with fields (starts, images, ...)."""
    rows = torch.arange(len(density), device=density.x.device).repeat(len(starts))
    found = climb(density.of(rows), torch.cat(list(starts)), None if beside is None else beside.of(rows))
    return Modes(*(field.unflatten(0, (len(starts), len(density))) for field in found))


def approximate(density: JointDensity, starts: Sequence[Tensor]) -> Tensor:
    """Laplace's approximation of log p(x|y), without samples, at the mode where it is highest: nats, (images,), float64.

    Args:
        density: log p(x, z|y).
        starts: of the search, (images, latent) each.
    """
    modes = _climbed(density, starts)
    found = StudentMixture.around(modes.z, modes.log_prob, modes.curvature)
    volume = found.factor.diagonal(dim1=-2, dim2=-1).double().log().sum(-1)
    return (modes.log_prob + 0.5 * modes.z.shape[-1] * LOG_TWO_PI - volume).amax(0)


def _distinct(modes: Modes) -> Tensor:
    """Which modes to keep, (starts, images): of those that are the same the highest, and none far below the best."""
    keep = modes.log_prob > modes.log_prob.amax(0) - FARTHEST_BELOW
    for one in range(len(keep)):
        for other in range(len(keep)):
            same = modes.of(torch.tensor(other)).holds(modes.z[one], modes.log_prob[one])
            higher = (modes.log_prob[other] > modes.log_prob[one]) | (
                (modes.log_prob[other] == modes.log_prob[one]) & (other < one)
            )
            keep[one] &= ~(higher & keep[other] & same)
    return keep
