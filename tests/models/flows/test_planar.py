"""Planar flows stay invertible with finite gradients for any weights."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn.functional import softplus

from tests.conftest import assert_finite
from vaeline.models.flows.planar import LEAST_SLOPE, invertible, planar, planar_inverse

SIZE = 5
Weights = Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor, Tensor]]
WEIGHTS: dict[str, Weights] = {  # w, u and b, out of standard normal values of that shape
    "random": lambda w, u, b: (w, u, b),
    "huge": lambda w, u, b: (1e4 * w, 1e4 * u, 1e4 * b),
    "tiny": lambda w, u, b: (1e-12 * w, 1e-12 * u, 1e-12 * b),
    "u against w": lambda w, u, b: (w, -1e4 * w, 0 * b),
    "u against a short w": lambda w, u, b: (1e-3 * w, -1e10 * w, b),
    "huge u, tiny w": lambda w, u, b: (1e-12 * w, 1e4 * u, b),
    "tiny u, huge w": lambda w, u, b: (1e4 * w, 1e-12 * u, b),
    "zero w": lambda w, u, b: (0 * w, u, b),
    "zero": lambda w, u, b: (0 * w, 0 * u, 0 * b),
}
ANY = pytest.mark.parametrize("weights", WEIGHTS.values(), ids=WEIGHTS.keys())


def drawn(weights: Weights, count: int) -> Tensor:
    return torch.cat(weights(torch.randn(count, SIZE), torch.randn(count, SIZE), torch.randn(count, 1)), 1)


@ANY
def test_log_det_and_gradients_are_finite(weights: Weights) -> None:
    given = drawn(weights, 64).requires_grad_()
    z = torch.randn(64, SIZE)
    z[32:] = 0  # where a map without b is steepest or flattest
    z.requires_grad_()
    assert_finite(planar, z, given)


@ANY
def test_the_map_is_strictly_monotone_along_w(weights: Weights) -> None:
    for row in drawn(weights, 20).double():
        w = row[:SIZE]
        steps = torch.linspace(-10, 10, 201, dtype=torch.float64)
        z = steps[:, None] * (w / w.square().sum().clamp_min(1e-30))  # w.z is `steps`, where w is not 0
        u, _ = planar(z, row[None])
        assert ((u @ w).diff() > 0).all() if w.any() else torch.equal(u, z)


@ANY
def test_the_inverse_is_found_unless_the_map_is_flat(weights: Weights) -> None:
    given, z = drawn(weights, 64).double(), 3 * torch.randn(64, SIZE, dtype=torch.float64)
    u, log_det = planar(z, given)
    steep = log_det > -5
    torch.testing.assert_close(planar_inverse(u, given)[steep], z[steep], rtol=1e-4, atol=1e-4)
    assert_finite(lambda u, weights: (planar_inverse(u, weights), log_det), u.requires_grad_(), given.requires_grad_())


def test_a_steep_map_keeps_its_log_det_under_saturation() -> None:
    w = torch.randn(500, SIZE)
    weights, z = torch.cat([w, 1e4 * w, torch.zeros(500, 1)], 1), torch.randn(500, SIZE)
    _, log_det = planar(z, weights)
    _, expected = planar(z.double(), weights.double())
    torch.testing.assert_close(log_det.double(), expected, atol=1e-4, rtol=0)


def test_w_u_hat_is_softplus_of_w_u_minus_one() -> None:
    w, u = torch.randn(2, 50, SIZE, dtype=torch.float64)
    u_hat, slope = invertible(w, u)
    expected = softplus((w * u).sum(1)) - 1
    torch.testing.assert_close((w * u_hat).sum(1), expected)
    torch.testing.assert_close(slope.squeeze(1), 1 + expected)


def test_u_moves_only_along_w() -> None:
    w, u = torch.randn(2, 50, SIZE, dtype=torch.float64)
    u_hat, _ = invertible(w, u)
    across = torch.linalg.vecdot(u_hat - u, u_hat - u) * torch.linalg.vecdot(w, w)
    torch.testing.assert_close(torch.linalg.vecdot(u_hat - u, w).square(), across)


def test_under_softplus_underflow_map_and_log_det_share_a_slope() -> None:
    w = torch.randn(50, SIZE, dtype=torch.float64)
    u_hat, slope = invertible(w, -1e3 * w / w.square().sum(1, keepdim=True))
    torch.testing.assert_close(slope, torch.full_like(slope, LEAST_SLOPE), atol=1e-10, rtol=0)
    torch.testing.assert_close(1 + (w * u_hat).sum(1, keepdim=True), slope, atol=1e-10, rtol=0)
