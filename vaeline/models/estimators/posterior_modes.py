"""The modes of p(z|x) by the method of Levenberg (1944) and Marquardt (1963), many images at a time."""

from typing import NamedTuple

import torch
from torch import Tensor

from vaeline.models.estimators.joint_density import JointDensity

STEPS = 30
LEAST_GAIN = 0.01  # nats; an image that is to gain less has arrived
PREDICTED = 0.5  # a gain between this share of the expected one and its inverse is as the curvature says
FAILS = 8  # gains in a row that are not, until the curvature is computed anew
TOGETHER = 4  # which waits until one image in so many needs it
LEAST_CHANGE = 1e-4  # of a gradient along a step, as a share of what the curvature says: with less, it does not correct the curvature
FIRST_DAMPING, LESS, MORE, MOST_DAMPING = 0.1, 0.3, 10.0, 1e6
SAME = 1.0  # nats, and squared distance in units of the curvature, below which two modes are one


class Modes(NamedTuple):
    """A maximum of log p(x, z|y) for each image."""

    z: Tensor  # (images, latent)
    log_prob: Tensor  # log p(x, z|y), nats, (images,), float64; -inf for an image without a mode of its own
    curvature: Tensor  # minus the Hessian at the mode, (images, latent, latent)

    def of(self, rows: Tensor) -> "Modes":
        """The same for some of the images, indices."""
        return Modes(*(field[rows] for field in self))

    def holds(self, z: Tensor, log_prob: Tensor) -> Tensor:
        """Whether a z of each image, (images, latent), with its log_prob is this mode, (images,), bool."""
        difference = (z - self.z).unsqueeze(-1)
        apart = (difference.mT @ self.curvature @ difference).flatten()  # below 0 where a search ended beside a ridge
        return (apart.abs() < SAME) & ((log_prob - self.log_prob).abs() < SAME)


def climb(density: JointDensity, start: Tensor, beside: Modes | None = None) -> Modes:
    """Go uphill from a z of each image until no image gains.

    A gradient costs three evaluations of the decoder, and a curvature two or three for each dimension of z. A curvature is therefore corrected
    by the gradients that are met (Broyden, 1970; Fletcher, 1970; Goldfarb, 1970; Shanno, 1970), and computed anew only where it fails to
    predict the gains.

    Args:
        density: log p(x, z|y).
        start: (images, latent).
        beside: a mode of each image that is known; an image that comes to it stops, and has no mode of its own.
    """
    search = _Search(density, start, beside)
    for _ in range(STEPS):
        if not search.step():
            break
    return search.modes()


class _Search:
    """Where each image is, and what is believed of its curvature there."""

    def __init__(self, density: JointDensity, start: Tensor, beside: Modes | None) -> None:
        self.density, self.beside, self.z = density, beside, start.clone()
        self.log_prob, self.gradient = _value(density, start)
        self.curvature = density.curvature(start) if beside is None else beside.curvature.clone()
        self.damping = start.new_full((len(start),), FIRST_DAMPING)
        # Whether the curvature was computed at z.
        self.current = torch.full((len(start),), beside is None, device=start.device)
        self.going, self.joined, self.waits = (
            torch.ones_like(self.current),
            *torch.zeros(2, len(start), device=start.device).bool(),
        )
        # Gains in a row that the curvature did not predict.
        self.failed = torch.zeros(len(start), dtype=torch.long, device=start.device)

    def step(self) -> bool:
        """Try one step of every image that has not arrived; False if all have."""
        self._renew()
        rows = (self.going & ~self.waits).nonzero().squeeze(1)
        if not len(rows):
            return False
        if self.beside is not None:
            self.joined[rows] = self.beside.of(rows).holds(self.z[rows], self.log_prob[rows])
        step = _step(self.curvature[rows], self.gradient[rows], self.damping[rows])
        expected = 0.5 * (step * self.gradient[rows]).sum(1).double()
        far = ~(expected < LEAST_GAIN)
        self.going[rows] = far & ~self.joined[rows] & (self.damping[rows] <= MOST_DAMPING)
        log_prob, gradient = _value(self.density.of(rows), self.z[rows] + step)
        gain = log_prob - self.log_prob[rows]
        predicted = (gain >= PREDICTED * expected) & (gain <= expected / PREDICTED)
        stale = ~self.current[rows] & ~predicted
        better = (gain > 0) & ~stale
        self.curvature[rows[far]] = _corrected(
            self.curvature[rows[far]], step[far], (self.gradient[rows] - gradient)[far]
        )
        self.current[rows[far | better]] = False
        kept = rows[better]
        self.z[kept] += step[better]
        self.log_prob[kept], self.gradient[kept] = log_prob[better], gradient[better]
        self.damping[rows] *= torch.where(better, LESS, torch.where(stale, 1.0, MORE))
        self.failed[rows] = torch.where(stale, self.failed[rows] + 1, 0)
        self.waits[rows] = (self.failed[rows] >= FAILS) & self.going[rows]
        return True

    def modes(self) -> Modes:
        """The places that were reached, with a curvature that was computed there."""
        last = (~self.current & ~self.joined).nonzero().squeeze(1)
        if len(last):
            self.curvature[last] = self.density.of(last).curvature(self.z[last])
        lost = ~self.curvature.flatten(1).isfinite().all(1) | ~self.log_prob.isfinite()
        self.curvature[lost] = torch.eye(self.z.shape[1], dtype=self.z.dtype, device=self.z.device)
        return Modes(self.z, self.log_prob.masked_fill(lost | self.joined, -torch.inf), self.curvature)

    def _renew(self) -> None:
        """Compute the curvatures that fail, as soon as enough images wait for theirs."""
        rows = self.waits.nonzero().squeeze(1)
        if len(rows) and TOGETHER * len(rows) >= self.going.sum():
            self.curvature[rows] = self.density.of(rows).curvature(self.z[rows])
            self.current[rows], self.waits[rows] = True, False


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
