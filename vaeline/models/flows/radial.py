"""Radial flows (Rezende and Mohamed, 2015, eq. 14), kept invertible as in their appendix A.2."""

from math import expm1, log

import torch
from pydantic import Field
from torch import Tensor
from torch.nn.functional import softplus

from vaeline.models.contracts import Context
from vaeline.models.flows._weights import Layers
from vaeline.study.parts import PartOptions

LEAST = 1e-6  # of each softplus, which would otherwise underflow to 0


class Options(PartOptions):
    layers: int = Field(8, ge=1, le=256, description="radial maps, each of which contracts or expands around a centre")


def build(options: Options, context: Context) -> Layers:
    """Build a stack of radial maps over a latent vector."""
    [size] = context.latent_shape
    return Layers(radial, radial_inverse, (identity(size) for _ in range(options.layers)), context.flow_context)


def identity(size: int) -> Tensor:
    """Weights z_0, alpha and beta of the identity, with a random centre, (size + 2,)."""
    return torch.cat([torch.randn(size), torch.full((2,), log(expm1(1)))])  # alpha = 1, beta_hat = 0


def radial(z: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Map z to z + beta_hat (z - z_0) / (alpha + r), where r = ||z - z_0|| and beta_hat = -alpha + softplus(beta).

    Map and determinant are quotients of positive terms, so that no digits cancel.

    Args:
        z: (b, latent).
        weights: z_0, alpha before its softplus, and beta, concatenated, (b or 1, latent + 2).

    Returns:
        The image of z, (b, latent), and the log-determinant in nats, (b,).
    """
    size = z.shape[1]
    centre, alpha, beta = weights.split([size, 1, 1], 1)
    alpha, reach = softplus(alpha).clamp_min(LEAST), softplus(beta).clamp_min(LEAST)  # reach = alpha + beta_hat
    offset = z - centre  # (b, latent)
    r = torch.linalg.vector_norm(offset, dim=1, keepdim=True)  # (b, 1)
    across = (r + reach) / (alpha + r)  # how the map stretches a sphere around the centre
    along = (r.square() + 2 * alpha * r + alpha * reach) / (alpha + r).square()  # and a ray from the centre
    log_det = (size - 1) * across.log() + along.log()
    return centre + across * offset, log_det.squeeze(1)


def radial_inverse(u: Tensor, weights: Tensor) -> Tensor:
    """Map u, (b, latent), back to z: the distance r from the centre is the positive root of r^2 + (reach - R) r = alpha R.

    Each root is computed by the one of its two formulas in which no digits cancel.
    """
    size = u.shape[1]
    centre, alpha, beta = weights.split([size, 1, 1], 1)
    alpha, reach = softplus(alpha).clamp_min(LEAST), softplus(beta).clamp_min(LEAST)
    offset = u - centre
    image = torch.linalg.vector_norm(offset, dim=1, keepdim=True)  # R, (b, 1)
    root = ((image - reach).square() + 4 * alpha * image).sqrt()
    inside = image < reach
    far = torch.where(inside, reach, image)  # a safe divisor where the other formula applies
    shrink = torch.where(inside, 2 * alpha / (reach - image + root), (image - reach + root) / (2 * far))  # r / R
    return centre + shrink * offset
