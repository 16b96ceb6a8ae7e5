"""Planar flows (Rezende and Mohamed, 2015, eq. 10), kept invertible as in their appendix A.1."""

from math import expm1, log

import torch
from pydantic import Field
from torch import Tensor
from torch.nn.functional import normalize, softplus

from vaeline.models.contracts import Context
from vaeline.models.flows._weights import Layers
from vaeline.study.parts import PartOptions

LEAST_SLOPE = 1e-6  # of w.f(z) over w.z; softplus alone underflows to 0, at which the map is not invertible
HALVINGS = 60  # of the interval that contains the inverse, down to the precision of float64
LEAST_NORM = 1e-12  # added to ||w||^2: as w vanishes the map becomes the identity, whereas the paper's has no limit


class Options(PartOptions):
    layers: int = Field(8, ge=1, le=256, description="planar maps, each of which bends space along one direction")


def build(options: Options, context: Context) -> Layers:
    """Build a stack of planar maps over a latent vector; their inverse is found by bisection."""
    [size] = context.latent_shape
    return Layers(planar, planar_inverse, (identity(size) for _ in range(options.layers)), context.flow_context)


def identity(size: int) -> Tensor:
    """Weights w, u and b of the identity, with w in a random direction, (2 size + 1,)."""
    w = normalize(torch.randn(size), dim=0)
    u = log(expm1(1)) * w  # softplus(w.u) = 1, so that u_hat = 0
    return torch.cat([w, u, torch.zeros(1)])


def planar(z: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Map z to z + u_hat tanh(w.z + b).

    Args:
        z: (b, latent).
        weights: w, u and b, concatenated, (b or 1, 2 latent + 1).

    Returns:
        The image of z, (b, latent), and the log-determinant in nats, (b,).
    """
    size = z.shape[1]
    w, u, b = weights.split([size, size, 1], 1)
    u_hat, slope = invertible(w, u)
    a = (w * z).sum(1, keepdim=True) + b  # (b, 1)
    h = a.tanh()
    derivative = 4 * (2 * a).sigmoid() * (-2 * a).sigmoid()  # 1 - h^2, exact in its tails too
    # 1 + h' w.u_hat as a weighted mean of 1 and the slope, which rounding cannot make negative.
    det = h.square() + derivative * slope
    return z + u_hat * h, det.log().squeeze(1)


def planar_inverse(u: Tensor, weights: Tensor) -> Tensor:
    """Map u, (b, latent), back to z: w.z + b is the only root of an increasing function.

    A step of Newton's method after the bisection does not move the root; it gives the root its gradient.
    """
    size = u.shape[1]
    w, of_u, b = weights.split([size, size, 1], 1)
    u_hat, slope = invertible(w, of_u)
    target, bend = (w * u).sum(1, keepdim=True) + b, slope - 1  # a + bend tanh a = target, (b, 1) each
    with torch.no_grad():
        low, high = target - bend.abs(), target + bend.abs()
        for _ in range(HALVINGS):
            a = (low + high) / 2
            above = a + bend * a.tanh() > target
            low, high = torch.where(above, low, a), torch.where(above, a, high)
        a = (low + high) / 2
    h = a.tanh()
    a = a - (a + bend * h - target) / (h.square() + (1 - h.square()) * slope)
    return u - u_hat * a.tanh()


def invertible(w: Tensor, u: Tensor) -> tuple[Tensor, Tensor]:
    """Move u along w so that w.u_hat > -1, which makes the map invertible for any weights (appendix A.1).

    Args:
        w: (b or 1, latent).
        u: same shape.

    Returns:
        u_hat, same shape, and 1 + w.u_hat in a form that rounding cannot make 0, (b or 1, 1).
    """
    product = (w * u).sum(1, keepdim=True)
    norm = w.square().sum(1, keepdim=True)  # ||w||^2, squared as in the paper
    share = norm / (norm + LEAST_NORM)  # 1 unless w vanishes
    slope = softplus(product).clamp_min(LEAST_SLOPE)
    u_hat = share * u + (slope - 1 - product) * (w / (norm + LEAST_NORM))
    return u_hat, (1 - share) + share * slope
