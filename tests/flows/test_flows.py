"""Every flow, as found on disk: its log-determinant against autograd, its inverse against itself."""

import pytest
import torch

from tests.conftest import every, scramble
from vaeline import parts
from vaeline.contracts import Context
from vaeline.errors import UserError


def build(name: str, size: int) -> torch.nn.Module:
    context = Context((1, 8, 8), (size,), 0, 0, 0, 100)
    return scramble(parts.build("flows", parts.validate("flows", {"name": name}), context)).double()


@every("flows")
@pytest.mark.parametrize("size", [2, 5])
def test_log_det_is_that_of_autograds_jacobian(name: str, size: int) -> None:
    flow = build(name, size)
    z = torch.randn(6, size, dtype=torch.float64)
    _, log_det = flow(z)
    for row, expected in zip(z, log_det, strict=True):
        jacobian = torch.autograd.functional.jacobian(lambda value: flow(value[None])[0][0], row)
        torch.testing.assert_close(torch.linalg.slogdet(jacobian).logabsdet, expected, atol=1e-6, rtol=0)


@every("flows")
def test_a_scrambled_flow_is_not_volume_preserving(name: str) -> None:
    _, log_det = build(name, 4)(torch.randn(6, 4, dtype=torch.float64))
    assert log_det.abs().min() > 1e-3


@every("flows")
@pytest.mark.parametrize("size", [2, 5])
def test_inverse_undoes_forward_and_forward_undoes_inverse(name: str, size: int) -> None:
    flow = build(name, size)
    if not hasattr(flow, "inverse"):
        pytest.skip(f"{name} has no inverse in closed form")
    z = 3 * torch.randn(50, size, dtype=torch.float64)
    torch.testing.assert_close(flow.inverse(flow(z)[0]), z)
    torch.testing.assert_close(flow(flow.inverse(z))[0], z)


def test_couplings_start_as_the_identity() -> None:
    flow = parts.build(
        "flows", parts.validate("flows", {"name": "affine_coupling"}), Context((1, 8, 8), (4,), 0, 0, 0, 100)
    )
    z = torch.randn(3, 4)
    u, log_det = flow(z)
    torch.testing.assert_close(u, z)
    torch.testing.assert_close(log_det, torch.zeros(3))


def test_couplings_refuse_a_latent_of_one_dimension() -> None:
    with pytest.raises(UserError, match="at least 2 dimensions"):
        build("affine_coupling", 1)
