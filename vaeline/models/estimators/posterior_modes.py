"""The modes of p(z|x) by the method of Levenberg (1944) and Marquardt (1963), many images at a time."""

from typing import NamedTuple

import torch
from torch import Tensor

from vaeline.models.estimators.joint_density import JointDensity

STEPS = 30
LEAST_GAIN = 0.01  # nats; an image that is to gain less has arrived
PREDICTED = 0.5  # a gain between this share of the expected one and its inverse is as the curvature says
FAILS = 2  # gains in a row that are not, until the curvature is computed anew
TOGETHER = 4  # which waits until one image in so many needs it
LEAST_CHANGE = 1e-4  # of a gradient along a step, as a share of what the curvature says: with less, it does not correct the curvature
FIRST_DAMPING, LESS, MORE, MOST_DAMPING = 0.1, 0.3, 10.0, 1e6
SAME = 1.0  # squared distance in units of the curvature below which two modes are one


class Modes(NamedTuple):
    """A maximum of log p(x, z|y) for each image."""

    z: Tensor  # (images, latent)
    log_prob: Tensor  # log p(x, z|y), nats, (images,), float64; -inf for an image without a mode of its own
    curvature: Tensor  # minus the Hessian at the mode, (images, latent, latent)

    def of(self, rows: Tensor) -> "Modes":
        """The same for some of the images, indices."""
        return Modes(*(field[rows] for field in self))

    def apart(self, z: Tensor) -> Tensor:
        """Squared distance of a z of each image from its mode, in units of the curvature, (images,)."""
        difference = (z - self.z).unsqueeze(-1)
        return (difference.mT @ self.curvature @ difference).flatten()


def climb(density: JointDensity, start: Tensor, beside: Modes | None = None) -> Modes:
    """Go uphill from a z of each image until no image gains.

    A gradient costs three evaluations of the decoder, and a curvature two or three for each dimension of z. A curvature is therefore corrected
    by the gradients that are met (Broyden, Fletcher, Goldfarb and Shanno, 1970), and computed anew only where it fails to predict the gains.

    Args:
        density: log p(x, z|y).
        start: (images, latent).
        beside: a mode of each image that is known; an image that comes to it stops, and has no mode of its own.
    """
    z, (log_prob, gradient) = start.clone(), _value(density, start)
    curvature = density.curvature(z) if beside is None else beside.curvature.clone()
    current = torch.full((len(z),), beside is None, device=z.device)  # whether the curvature was computed at z
    failed = torch.zeros(len(z), dtype=torch.long, device=z.device)
    damping = z.new_full((len(z),), FIRST_DAMPING)
    going, joined, waits = torch.ones_like(current), torch.zeros_like(current), torch.zeros_like(current)
    for _ in range(STEPS):
        again = waits.nonzero().squeeze(1)
        if len(again) and TOGETHER * len(again) >= going.sum():
            curvature[again], current[again], waits[again] = density.of(again).curvature(z[again]), True, False
        rows = (going & ~waits).nonzero().squeeze(1)
        if not len(rows):
            break
        if beside is not None:
            near = beside.of(rows)
            joined[rows] = (near.apart(z[rows]) < SAME) & (log_prob[rows] > near.log_prob - SAME)
        step = _step(curvature[rows], gradient[rows], damping[rows])
        expected = 0.5 * (step * gradient[rows]).sum(1).double()
        far = ~(expected < LEAST_GAIN)
        going[rows] = far & ~joined[rows] & (damping[rows] <= MOST_DAMPING)
        found, slope = _value(density.of(rows), z[rows] + step)
        gain = found - log_prob[rows]
        predicted = (gain >= PREDICTED * expected) & (gain <= expected / PREDICTED)
        stale = ~current[rows] & ~predicted
        better = (gain > 0) & ~stale
        curvature[rows[far]] = _corrected(curvature[rows[far]], step[far], (gradient[rows] - slope)[far])
        current[rows[far | better]] = False
        kept = rows[better]
        z[kept], log_prob[kept], gradient[kept] = z[kept] + step[better], found[better], slope[better]
        damping[rows] *= torch.where(better, LESS, torch.where(stale, 1.0, MORE))
        failed[rows] = torch.where(stale, failed[rows] + 1, 0)
        waits[rows] = (failed[rows] >= FAILS) & going[rows]
    last = (~current & ~joined).nonzero().squeeze(1)
    if len(last):
        curvature[last] = density.of(last).curvature(z[last])
    lost = ~curvature.flatten(1).isfinite().all(1) | ~log_prob.isfinite()
    curvature[lost] = torch.eye(z.shape[1], dtype=z.dtype, device=z.device)
    return Modes(z, log_prob.masked_fill(lost | joined, -torch.inf), curvature)


def _value(density: JointDensity, z: Tensor) -> tuple[Tensor, Tensor]:
    """log p(x, z|y) at one z of each image, and its gradient: (images,), (images, latent)."""
    log_prob, gradient = density.log_prob_and_gradient(z.unsqueeze(0))
    return log_prob[0], gradient[0]


def _corrected(curvature: Tensor, step: Tensor, change: Tensor) -> Tensor:
    """A curvature that says of a step, (images, latent), by how much the downhill gradient changes along it, (images, latent)."""
    said = (curvature @ step.unsqueeze(2)).squeeze(2)
    found, expected = (step * change).sum(1), (step * said).sum(1)
    known = found.isfinite() & (expected > 0) & (found > LEAST_CHANGE * expected)
    new = curvature + _square(change) / found.view(-1, 1, 1) - _square(said) / expected.view(-1, 1, 1)
    return torch.where(known.view(-1, 1, 1), new, curvature)


def _square(vector: Tensor) -> Tensor:
    return vector.unsqueeze(2) * vector.unsqueeze(1)


def _step(curvature: Tensor, gradient: Tensor, damping: Tensor) -> Tensor:
    """Solve (H + damping diag H) step = gradient."""
    # A matrix that cannot be solved gives a step that is not finite, which is no gain.
    diagonal = curvature.diagonal(dim1=1, dim2=2).clamp_min(1e-6)
    damped = curvature + torch.diag_embed(damping.unsqueeze(1) * diagonal)
    return torch.linalg.solve_ex(damped, gradient.unsqueeze(2))[0].squeeze(2)
