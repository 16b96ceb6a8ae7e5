"""The modes of p(z|x) by the method of Levenberg (1944) and Marquardt (1963), many images at a time."""

from typing import NamedTuple

import torch
from torch import Tensor

from vaeline.models.estimators.joint_density import JointDensity

STEPS = 15
LEAST_GAIN = 0.01  # nats; an image that gains less has arrived
FIRST_DAMPING, LESS, MORE, MOST_DAMPING = 1e-3, 0.3, 10.0, 1e6


class Modes(NamedTuple):
    """A maximum of log p(x, z|y) for each image."""

    z: Tensor  # (images, latent)
    log_prob: Tensor  # log p(x, z|y), (images,), float64; -inf for an image where a derivative is not finite
    curvature: Tensor  # (images, latent, latent)


def climb(density: JointDensity, start: Tensor) -> Modes:
    """Go uphill from a z of each image, (images, latent), until no image gains."""
    z, log_prob = start.clone(), density.log_prob(start.unsqueeze(0))[0]
    curvature = z.new_zeros(len(z), z.shape[1], z.shape[1])
    gradient = torch.zeros_like(z)
    damping = z.new_full((len(z),), FIRST_DAMPING)
    moved = torch.ones(len(z), dtype=torch.bool, device=z.device)
    going = moved.clone()
    for _ in range(STEPS):
        new = (going & moved).nonzero().squeeze(1)
        if len(new):
            local = density.of(new).local(z[new])
            gradient[new], curvature[new] = local.gradient, local.curvature
            moved[new] = False
        rows = going.nonzero().squeeze(1)
        step = _step(curvature[rows], gradient[rows], damping[rows])
        tried = z[rows] + step
        found = density.of(rows).log_prob(tried.unsqueeze(0))[0]
        gain = found - log_prob[rows]
        better = gain > 0
        kept = rows[better]
        z[kept], log_prob[kept], moved[kept] = tried[better], found[better], True
        damping[rows] *= torch.where(better, LESS, MORE)
        arrived = (better & (gain < LEAST_GAIN)) | (damping[rows] > MOST_DAMPING)
        going[rows[arrived]] = False
        if not going.any():
            break
    new = moved.nonzero().squeeze(1)
    if len(new):
        curvature[new] = density.of(new).local(z[new]).curvature
    lost = ~curvature.flatten(1).isfinite().all(1)
    curvature[lost] = torch.eye(z.shape[1], dtype=z.dtype, device=z.device)
    return Modes(z, log_prob.masked_fill(lost, -torch.inf), curvature)


def _step(curvature: Tensor, gradient: Tensor, damping: Tensor) -> Tensor:
    """Solve (H + damping diag H) step = gradient."""
    # A matrix that cannot be solved gives a step that is not finite, which is no gain.
    diagonal = curvature.diagonal(dim1=1, dim2=2).clamp_min(1e-6)
    damped = curvature + torch.diag_embed(damping.unsqueeze(1) * diagonal)
    return torch.linalg.solve_ex(damped, gradient.unsqueeze(2))[0].squeeze(2)
