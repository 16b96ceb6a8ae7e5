"""Every flow found on disk, with its own weights and with weights from a context.

Its log-determinant is held against autograd's, its inverse against itself, its density against the integral 1.
"""

from math import log

import pytest
import torch

from tests.conftest import assert_log_det, every, scramble
from vaeline.models import gaussian
from vaeline.models.contracts import Context, Flow
from vaeline.study import parts
from vaeline.system.errors import UserError

FORMS = pytest.mark.parametrize("flow_context", [0, 3], ids=["shared", "amortised"])


def untrained(name: str, size: int, flow_context: int = 0) -> torch.nn.Module:
    context = Context((1, 8, 8), (size,), 0, 0, 0, 100, flow_context=flow_context)
    try:
        return parts.build(Flow, parts.validate("flows", {"name": name}), context)
    except UserError:
        if size == 1:
            pytest.skip(f"{name} refuses a latent of 1 dimension")
        raise


def build(name: str, size: int, flow_context: int = 0, std: float = 0.3) -> torch.nn.Module:
    return scramble(untrained(name, size, flow_context), std).double()


def fitted(name: str, size: int, flow_context: int, steps: int) -> tuple[torch.nn.Module, torch.Tensor]:
    """A flow after some steps of maximum likelihood on four clumps of points, and a context for each point."""
    flow = untrained(name, size, flow_context).double()
    z, context = clumps(64, size), torch.randn(64, 3, dtype=torch.float64)
    optimizer = torch.optim.Adam(flow.parameters(), lr=0.02)
    for _ in range(steps):
        optimizer.zero_grad()
        (-log_density(flow, z, context).mean()).backward()
        optimizer.step()
    return flow, context


def clumps(count: int, size: int) -> torch.Tensor:
    corners = torch.randn(count, size, dtype=torch.float64).sign()
    return 1 + 1.5 * corners + 0.5 * torch.randn(count, size, dtype=torch.float64)


def log_density(flow: torch.nn.Module, z: torch.Tensor, context: torch.Tensor) -> torch.Tensor:
    """log N(f(z); 0, I) + log|det df/dz|, (b,)."""
    u, log_det = flow(z, context)
    zero = torch.zeros_like(u)
    return gaussian.log_prob(u, zero, zero) + log_det


@every("flows")
@FORMS
@pytest.mark.parametrize("size", [1, 2, 5])
def test_log_det_matches_autograds_jacobian(name: str, flow_context: int, size: int) -> None:
    flow = build(name, size, flow_context)
    z, context = torch.randn(6, size, dtype=torch.float64), torch.randn(6, 3, dtype=torch.float64)
    assert_log_det(flow, z, context)


@every("flows")
@FORMS
def test_a_scrambled_flow_is_not_volume_preserving(name: str, flow_context: int) -> None:
    z, context = torch.randn(6, 4, dtype=torch.float64), torch.randn(6, 3, dtype=torch.float64)
    _, log_det = build(name, 4, flow_context)(z, context)
    assert log_det.abs().min() > 1e-3


@every("flows")
@FORMS
@pytest.mark.parametrize("size", [1, 2, 5])
def test_inverse_undoes_forward_and_forward_undoes_inverse(name: str, flow_context: int, size: int) -> None:
    flow, context = fitted(name, size, flow_context, steps=20)
    z, u = 3 * torch.randn(64, size, dtype=torch.float64), torch.randn(64, size, dtype=torch.float64)
    torch.testing.assert_close(flow.inverse(flow(z, context)[0], context), z, atol=1e-6, rtol=0)
    torch.testing.assert_close(flow(flow.inverse(u, context), context)[0], u, atol=1e-6, rtol=0)


@every("flows")
def test_an_inverse_is_differentiable(name: str) -> None:
    flow = build(name, 3, std=0.1)
    u = torch.randn(3, dtype=torch.float64)
    z = flow.inverse(u[None])[0]
    backward = torch.autograd.functional.jacobian(lambda value: flow.inverse(value[None])[0], u)
    forward = torch.autograd.functional.jacobian(lambda value: flow(value[None])[0][0], z)
    torch.testing.assert_close(backward @ forward, torch.eye(3, dtype=torch.float64), atol=1e-6, rtol=0)


@every("flows")
@FORMS
@pytest.mark.parametrize("size", [1, 2])
def test_a_fitted_density_integrates_to_one(name: str, flow_context: int, size: int) -> None:
    flow, context = fitted(name, size, flow_context, steps=10)
    # The flow of one dimension has a deviation of 9 after so few steps of Adam.
    far, count = {1: (50, 5001), 2: (25, 251)}[size]
    axis = torch.linspace(-far, far, count, dtype=torch.float64)
    z = torch.cartesian_prod(*[axis] * size).reshape(-1, size)  # all points of a grid
    with torch.no_grad():
        density = log_density(flow, z, context[:1].expand(len(z), 3)).exp()
    assert density.sum() * (axis[1] - axis[0]) ** size == pytest.approx(1, abs=3e-3)


@every("flows")
@FORMS
def test_every_parameter_has_a_gradient_after_a_few_steps(name: str, flow_context: int) -> None:
    flow, _ = fitted(name, 4, flow_context, steps=4)
    for key, parameter in flow.named_parameters():
        assert parameter.grad.isfinite().all(), key
        assert parameter.grad.any(), key


@every("flows")
def test_a_context_moves_every_dimension_of_an_amortised_flow(name: str) -> None:
    flow, z = build(name, 4, flow_context=3), torch.randn(6, 4, dtype=torch.float64)
    (u, log_det), (other, other_log_det) = (flow(z, torch.randn(6, 3, dtype=torch.float64)) for _ in range(2))
    assert (u - other).abs().min() > 1e-6
    assert (log_det - other_log_det).abs().min() > 1e-6


@every("flows")
def test_a_context_is_ignored_by_a_flow_of_shared_weights(name: str) -> None:
    flow, z = build(name, 4), torch.randn(6, 4, dtype=torch.float64)
    for given, without in zip(flow(z, torch.randn(6, 3, dtype=torch.float64)), flow(z), strict=True):
        assert torch.equal(given, without)


@every("flows")
@FORMS
def test_images_do_not_affect_each_other(name: str, flow_context: int) -> None:
    flow = build(name, 4, flow_context)
    z, context = torch.randn(6, 4, dtype=torch.float64), torch.randn(6, 3, dtype=torch.float64)
    for whole, alone in zip(flow(z, context), flow(z[2:3], context[2:3]), strict=True):
        torch.testing.assert_close(whole[2:3], alone)


@every("flows")
@FORMS
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-4), (torch.bfloat16, 0.1)])
def test_outputs_have_the_dtype_of_z(name: str, flow_context: int, dtype: torch.dtype, tolerance: float) -> None:
    flow = build(name, 4, flow_context, std=0.1).float()
    z, context = torch.randn(6, 4), torch.randn(6, 3)
    for found, expected in zip(flow(z.to(dtype), context), flow(z, context), strict=True):
        assert found.dtype == dtype
        torch.testing.assert_close(found.float(), expected, atol=tolerance, rtol=tolerance)


@pytest.mark.parametrize("name", ["affine_coupling", "masked_autoregressive", "planar", "radial"])
@FORMS
def test_an_untrained_flow_is_the_identity(name: str, flow_context: int) -> None:
    z = torch.randn(3, 4)
    u, log_det = untrained(name, 4, flow_context)(z, torch.randn(3, 3))
    torch.testing.assert_close(u, z)
    torch.testing.assert_close(log_det, torch.zeros(3), atol=1e-5, rtol=0)


@FORMS
def test_an_untrained_inverse_autoregressive_flow_slightly_shrinks_z(flow_context: int) -> None:
    z, sigma = torch.randn(3, 4), torch.tensor(2.0).sigmoid().item()
    u, log_det = untrained("inverse_autoregressive", 4, flow_context)(z, torch.randn(3, 3))
    torch.testing.assert_close(u, sigma**4 * z)  # 4 steps
    torch.testing.assert_close(log_det, torch.full((3,), 4 * 4 * log(sigma)))


def test_couplings_refuse_a_latent_of_one_dimension() -> None:
    with pytest.raises(UserError, match="at least 2 dimensions"):
        parts.build(Flow, parts.validate("flows", {"name": "affine_coupling"}), Context((1, 8, 8), (1,), 0, 0, 0, 100))
