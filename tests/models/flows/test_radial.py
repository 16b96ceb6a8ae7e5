"""Radial flows stay invertible with finite gradients for any weights, and at their centre."""

from itertools import product

import pytest
import torch

from tests.conftest import assert_finite
from vaeline.models.flows.radial import radial, radial_inverse

SIZE = 5
ANY = pytest.mark.parametrize(("alpha", "beta"), list(product([-1e4, -20.0, 0.0, 20.0, 1e4], repeat=2)))


def weights(centre: torch.Tensor, alpha: float, beta: float) -> torch.Tensor:
    return torch.cat([centre, centre.new_full((len(centre), 1), alpha), centre.new_full((len(centre), 1), beta)], 1)


@ANY
@pytest.mark.parametrize("distance", [0.0, 1e-30, 1e-6, 1.0, 1e4])
def test_log_det_and_gradients_are_finite(alpha: float, beta: float, distance: float) -> None:
    centre = torch.randn(8, SIZE)
    given = weights(centre, alpha, beta).requires_grad_()
    z = (centre + distance * torch.randn(8, SIZE)).requires_grad_()
    assert_finite(radial, z, given)


@ANY
@pytest.mark.parametrize("distance", [0.0, 1e-6, 1.0, 1e4])
def test_the_inverse_undoes_the_map(alpha: float, beta: float, distance: float) -> None:
    centre = torch.randn(8, SIZE, dtype=torch.float64)
    z, given = centre + distance * torch.randn(8, SIZE, dtype=torch.float64), weights(centre, alpha, beta)
    u, _ = radial(z, given)
    torch.testing.assert_close(radial_inverse(u, given), z, rtol=1e-6, atol=1e-6)


@ANY
def test_the_order_of_distances_from_the_centre_is_kept(alpha: float, beta: float) -> None:
    centre, direction = torch.randn(2, 1, SIZE, dtype=torch.float64)
    z = centre + torch.logspace(-4, 4, 50, dtype=torch.float64)[:, None] * direction
    u, _ = radial(z, weights(centre, alpha, beta))
    assert ((u - centre).norm(dim=1).diff() > 0).all()


def test_the_centre_does_not_move() -> None:
    centre = torch.randn(3, SIZE)
    u, _ = radial(centre, weights(centre, -1.0, 2.0))
    assert torch.equal(u, centre)
